# SPDX-License-Identifier: GPL-2.0-or-later
"""`pvgen matrix`: the rows of the matrix, one by one or each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.matrix import (
    End,
    Play,
    Result,
    Row,
    applies,
    exit_status,
    result_of,
    rows_of,
    without_rows,
)
from checks.matrix_report import as_json, table
from gen.console import fail, report, say
from gen.diagnostics import did_you_mean
from gen.generate import read_device
from gen.kernel import KernelFactsError
from gen.kernel_load import load_kernels
from gen.lab.problem import LabError
from gen.lab.process import tool
from gen.options import PathName, spec_option
from gen.output import OutputError, write_file
from gen.resources import kernel_directory
from gen.room import scratch_room
from gen.specs import GenerationError

if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_USAGE = 2
UNANSWERED = 3


def _choose(names: Sequence[str], series: Sequence[str]) -> list[Row]:
    """The named rows, those of the named series, or all, in the order of the series."""
    rows = rows_of(load_kernels(kernel_directory()).all)
    known = list(map(str, rows))
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise click.UsageError(f"no row '{name}'; " + (hint or f"there are {', '.join(known)}"))
    real = list(dict.fromkeys(row.series for row in rows))
    for one in series:
        if one not in real:
            raise click.UsageError(
                f"no kernel to boot for series '{one}'; there are {', '.join(real)}"
            )
    chosen = not names and not series
    return [row for row in rows if chosen or str(row) in names or row.series in series]


@dataclass(frozen=True)
class How:
    """What all rows of a run share; the fields are the options of the command."""

    spec: Path | None
    logs: Path
    guests: int
    scenarios: tuple[str, ...]

    def place(self, row: Row) -> Path:
        """The directory of a row."""
        return (self.logs / row.directory).absolute()

    def words(self) -> list[str]:
        """The same as words of a command line."""
        scenarios = [word for name in self.scenarios for word in ("--scenario", name)]
        spec = ["--spec", str(self.spec)] if self.spec else []
        return [*spec, "--logs", str(self.logs), "--guests", str(self.guests), *scenarios]


def _alone(row: Row, how: How) -> Result:
    """Play a row in this process."""
    try:
        return Play(row, how.spec, how.place(row), say, how.guests, how.scenarios).run()
    except OSError as error:
        reason = f"{error.filename or how.logs}: {error.strerror or error}"
    except OutputError as error:
        reason = str(error)
    except ExceptionGroup as group:
        reason = "; ".join(map(str, group.exceptions))
    return Result(row, End.ERROR, reason, logs=str(how.place(row)))


def _apart(row: Row, how: How) -> Result:
    """Play a row in a process of its own, which ends with this one; progress goes to stderr."""
    with scratch_room() as directory:
        file = directory / "result.json"
        command = [
            *(tool("setpriv"), "--pdeathsig", "TERM", "--", sys.executable, "-m", "gen.cli"),
            *("matrix", "--row", str(row), "--json", str(file), *how.words()),
        ]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        try:
            (data,) = json.loads(file.read_text())["rows"]
            return result_of(data)
        except (OSError, ValueError, KeyError, TypeError):
            end = f"with status {done.returncode}" if done.returncode >= 0 else "by a signal"
            reason = f"the row's process ended {end} and left no result"
            return Result(row, End.ERROR, reason, logs=str(how.place(row)))


def _play(rows: Sequence[Row], how: How, jobs: int) -> list[Result]:
    """Play rows, `jobs` at a time, and tell each that is done."""
    if len(rows) == 1:
        return [_alone(rows[0], how)]
    found: dict[Row, Result] = {}
    pool = ThreadPoolExecutor(jobs)
    tasks = [pool.submit(_apart, row, how) for row in rows]
    try:
        for task in as_completed(tasks):
            result = task.result()
            found[result.row] = result
            say(f"{result.row}: {result.end} ({len(found)} of {len(rows)} rows done)")
    finally:
        # Nobody waits for rows that go on: they end with this process.
        pool.shutdown(wait=False, cancel_futures=True)
    return [found[row] for row in rows]


def _terminated(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


@click.command()
@spec_option
@click.option("--row", "names", multiple=True, metavar="ROW", help="This row only, as 6.1:full.")
@click.option("--kernel", "series", multiple=True, metavar="SERIES", help="This series' rows only.")
@click.option("--json", "json_file", type=PathName(dir_okay=False), help="Also write JSON.")
@click.option(
    "--logs",
    type=PathName(file_okay=False),
    default=Path(".cache/matrix"),
    show_default=True,
    help="Where each row keeps its driver, modules and logs.",
)
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Rows at a time."
)
@click.option(
    "--guests",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Guests at a time, in each row.",
)
@click.option(
    "--scenario", "scenarios", multiple=True, help="Play this one only; see pvgen boot --list."
)
@click.option(
    "--list",
    "only_list",
    is_flag=True,
    help="List the rows that apply to the spec, as JSON, and end.",
)
def matrix(  # noqa: PLR0917 (click names them)
    spec: Path | None,
    names: tuple[str, ...],
    series: tuple[str, ...],
    json_file: Path | None,
    logs: Path,
    jobs: int,
    guests: int,
    scenarios: tuple[str, ...],
    only_list: bool,
) -> None:
    """Render, check, build and boot the driver on every kernel that can be had.

    A row is a series and a contract: 'full' has all of the spec, 'as-of' what the series' own
    driver had. Exit status: 0 all rows passed, 1 one failed, 2 wrong usage or a bad spec, 3 one
    could not be answered.
    """
    try:
        rows = _choose(names, series)
        if only_list:
            click.echo(json.dumps([str(row) for row in rows if applies(row, spec)]))
            return
        read_device(spec)
        signal.signal(signal.SIGTERM, _terminated)
        results = _play(rows, How(spec, logs, guests, scenarios), jobs)
        if json_file is not None:
            write_file(json_file, as_json(results))
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error) or "nothing was rendered", BAD_USAGE)
    except KernelFactsError as error:
        fail(str(error), BAD_USAGE)
    except LabError as error:
        fail(str(error), UNANSWERED)
    except OSError as error:
        fail(f"{error.filename or 'the matrix'}: {error.strerror or error}", UNANSWERED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("ended before every row was played; run it again", UNANSWERED)
    if not names and not series:
        for line in without_rows(load_kernels(kernel_directory()).all):
            say(line)
    click.echo(table(results))
    sys.exit(exit_status(results))
