# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of the lab: `pvgen boot`."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.console import fail, report, say
from gen.diagnostics import Diagnostics
from gen.lab import bench as benches
from gen.lab import guest, kernel, outcome
from gen.lab.board import BOARDS, PC
from gen.lab.problem import LabError
from gen.lab.runner import Runner
from gen.lab.stories import all_scenarios
from gen.load import load_device
from gen.options import PathName, spec_option
from gen.output import write_file
from gen.room import scratch_room
from gen.specs import GenerationError, default_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gen.lab.scenario import Outcome, Scenario
    from gen.model import Device

BAD_USAGE = 2
UNANSWERED = 3


def _load(spec: Path | None) -> Device:
    """The device, or the end of the program."""
    diagnostics = Diagnostics()
    try:
        device = load_device(spec or default_spec(), diagnostics)
    except GenerationError as error:
        fail(str(error), BAD_USAGE)
    report(diagnostics)
    if device is None:
        fail("nothing was booted", BAD_USAGE)
    return device


def select(scenarios: Sequence[Scenario], names: Sequence[str]) -> list[Scenario]:
    """The named scenarios in their usual order, or all."""
    unknown = sorted(set(names) - {scenario.name for scenario in scenarios})
    if unknown:
        raise click.UsageError(f"no scenario {', '.join(unknown)}; --list shows all")
    return [scenario for scenario in scenarios if not names or scenario.name in names]


def _list(scenarios: Sequence[Scenario]) -> None:
    width = max((len(scenario.name) for scenario in scenarios), default=0)
    for scenario in scenarios:
        obstacle = scenario.obstacle
        note = f" [{obstacle.verdict}: {obstacle.reason}]" if obstacle else ""
        click.echo(f"{scenario.name.ljust(width)}  {scenario.title}{note}")


def play(
    bench: benches.Bench,
    scenarios: Sequence[Scenario],
    modules: kernel.Modules,
    image: Path,
    jobs: int,
) -> list[Outcome]:
    """Play scenarios; their boots' directories stay where something went wrong."""
    boots = Path(tempfile.mkdtemp(prefix="pvgen-boots-"))
    try:
        with scratch_room() as work:
            files = guest.build(modules, image, work, bench.board)
            return Runner(bench, files, boots, say, jobs).run(scenarios)
    except BaseException:
        shutil.rmtree(boots, ignore_errors=True)
        raise
    finally:
        with suppress(OSError):
            boots.rmdir()


def _suites(
    _context: click.Context, _option: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Names of suites only: they become words of an apt source line."""
    for name in names:
        if not re.fullmatch(r"[a-z0-9][a-z0-9./-]*", name):
            raise click.BadParameter(f"'{name}' is not the name of a suite")
    return names


@click.command()
@spec_option
@click.option(
    "--modules",
    "directory",
    type=PathName(),
    default=Path("out"),
    show_default=True,
    help="Where the built modules are.",
)
@click.option(
    "--kernel-image",
    type=PathName(exists=True, dir_okay=False),
    help="The kernel to boot; by default the one that the modules were built for.",
)
@click.option(
    "--board",
    "architecture",
    type=click.Choice(list(BOARDS)),
    default=PC.architecture,
    show_default=True,
    help="The architecture of the modules.",
)
@click.option(
    "--suite",
    "suites",
    multiple=True,
    callback=_suites,
    help="Look for the kernel in this suite of the distribution too.",
)
@click.option("--json", "json_file", type=PathName(dir_okay=False), help="Also write JSON.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Guests at a time."
)
@click.option("--list", "only_list", is_flag=True, help="List the scenarios and end.")
@click.option(
    "--allow-unavailable",
    is_flag=True,
    help="Succeed although the installed QEMU cannot show everything.",
)
@click.argument("names", metavar="[SCENARIO]...", nargs=-1)
def boot(  # noqa: PLR0917 (click names them)
    spec: Path | None,
    directory: Path,
    kernel_image: Path | None,
    architecture: str,
    suites: tuple[str, ...],
    json_file: Path | None,
    jobs: int,
    only_list: bool,
    allow_unavailable: bool,
    names: tuple[str, ...],
) -> None:
    """Boot a kernel with the built modules in QEMU and compare what the host sees with the spec."""
    device = _load(spec)
    try:
        bench = benches.inspect(device, BOARDS[architecture])
        scenarios = select(all_scenarios(bench), names)
        if only_list:
            _list(scenarios)
            return
        modules = kernel.read_modules(directory, device)
        image = kernel.find_image(modules.release, kernel_image, suites, say, architecture)
        plural = "" if len(scenarios) == 1 else "s"
        say(f"{len(scenarios)} scenario{plural} on Linux {modules.release}, QEMU {bench.version}")
        outcomes = play(bench, scenarios, modules, image, jobs)
        if json_file is not None:
            write_file(json_file, outcome.as_json(outcomes, bench, modules.release))
    except LabError as error:
        fail(str(error), UNANSWERED)
    except OSError as error:
        fail(f"{error.filename or 'the lab'}: {error.strerror or error}", UNANSWERED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("ended before everything was played", UNANSWERED)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo(outcome.table(outcomes, colour=colour))
    sys.exit(outcome.exit_status(outcomes, allow_unavailable=allow_unavailable))
