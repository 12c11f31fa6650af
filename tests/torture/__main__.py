# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m tests.torture`: what `make torture` runs."""

from __future__ import annotations

import asyncio
import functools
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.console import fail, say
from gen.lab import guest, kernel
from gen.lab.bench import inspect
from gen.lab.board import PC
from gen.lab.problem import LabError
from tests.boot.conftest import shipped_device
from tests.torture import acts, report
from tests.torture.arena import open_arena, save
from tests.torture.drivers import MAINLINE, OURS, build_driver, torture_entries
from tests.torture.kernels import debug_kernel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.torture.acts import Result
    from tests.torture.arena import Arena

UNANSWERED = 3
FAMILIES = ("detector", "faults", "attributes", "reload", "panic")


def _program(
    functions: dict[str, int], chosen: report.Choice
) -> Iterator[tuple[str, Callable[[Arena], Awaitable[Result]]]]:
    """The acts in their order, the detectors first; panics count on from the seed."""
    for name in acts.DEFECTS:
        yield f"{report.DETECTOR}{name}", functools.partial(acts.defect, name=name)
    yield "faults", acts.faults
    yield "attributes", functools.partial(acts.attributes, seconds=chosen.seconds, seed=chosen.seed)
    yield "reload", functools.partial(acts.reload, rounds=chosen.rounds)
    for seed in range(chosen.seed, chosen.seed + chosen.panics):
        yield f"panic seed {seed}", functools.partial(acts.panic, seed=seed, functions=functions)


async def _torture(series: str, driver: str, chosen: report.Choice, logs: Path) -> report.Run:
    """One driver in the debug kernel of a series, from its build to its last act."""
    started = time.monotonic()
    device = shipped_device()
    built = debug_kernel(series, say)
    shutil.rmtree(logs, ignore_errors=True)
    results = []
    with tempfile.TemporaryDirectory(prefix="pvgen-torture-") as directory:
        work = Path(directory)
        modules = kernel.read_modules(build_driver(driver, series, device, built, work), device)
        files = guest.build(modules, built.image, work, PC, torture_entries(built, work))
        say(f"{driver}: booting Linux {built.release}; logs in {logs}")
        saved = await save(inspect(device, PC), files, work / "state", _place(logs, "boot"))
        took = time.monotonic() - started
        results.append(acts.Result("load", len(saved.bound), took, saved.spoken))
        say(f"{driver}: {report.line(results[0])}")
        async with open_arena(saved, _place(logs, "symbols")) as arena:
            functions = await acts.symbols(arena)
        for name, act in _program(functions, chosen):
            if report.family_of(name) not in chosen.acts:
                continue
            place = _place(logs, re.sub(r"\W+", "-", name))
            async with open_arena(saved, place) as arena:
                result = await acts.play(name, arena, act)
            results.append(result)
            say(f"{driver}: {report.line(result)}")
            if result.passed:
                shutil.rmtree(place)
    return report.Run(series, driver, built.release, tuple(results), time.monotonic() - started)


def _place(logs: Path, name: str) -> Path:
    """A directory for what one guest writes."""
    place = logs / name
    place.mkdir(parents=True)
    return place


@click.command()
@click.option("--series", "all_series", multiple=True, default=("7.3",), show_default=True)
@click.option(
    "--driver", "drivers", multiple=True, type=click.Choice((OURS, MAINLINE)),
    default=(OURS, MAINLINE), show_default=True, help="Whose driver.",
)  # fmt: skip
@click.option("--panics", type=click.IntRange(0), default=200, show_default=True)
@click.option("--seconds", type=click.FloatRange(0.1), default=60.0, show_default=True,
              help="How long attributes are read and written.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), default=1000, show_default=True,
              help="How often the modules are loaded.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Of the first panic.")
@click.option(
    "--act", "families", multiple=True, type=click.Choice(FAMILIES), default=FAMILIES,
    help="Which acts; all without it.",
)  # fmt: skip
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path),
              default=Path(".cache/torture"), show_default=True)  # fmt: skip
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path))
def main(  # noqa: PLR0917 (click names them)
    all_series: tuple[str, ...],
    drivers: tuple[str, ...],
    panics: int,
    seconds: float,
    rounds: int,
    seed: int,
    families: tuple[str, ...],
    logs: Path,
    json_file: Path | None,
) -> None:
    """Torture the rendered driver and mainline's in a kernel that watches itself."""
    chosen = report.Choice(panics, seconds, rounds, seed, families)
    runs: list[report.Run] = []
    try:
        for series in all_series:
            for driver in drivers:
                place = (logs / f"{series}-{driver}").absolute()
                runs.append(asyncio.run(_torture(series, driver, chosen, place)))
                if json_file is not None:
                    json_file.write_text(report.as_json(runs, chosen))
    except (LabError, AssertionError) as error:
        fail(str(error), UNANSWERED)
    except OSError as error:
        fail(f"{error.filename or 'torture'}: {error.strerror or error}", UNANSWERED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("ended before everything was played", UNANSWERED)
    click.echo(report.table(runs))
    sys.exit(report.exit_status(runs))


if __name__ == "__main__":
    main()
