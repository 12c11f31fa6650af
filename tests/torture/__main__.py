# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m tests.torture`: what `make torture` runs."""

from __future__ import annotations

import asyncio
import functools
import pickle
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from gen.console import fail, say
from gen.lab import guest, kernel
from gen.lab.bench import inspect
from gen.lab.board import PC
from gen.lab.problem import LabError, QemuGoneError
from tests.boot.conftest import shipped_device
from tests.torture import acts, report
from tests.torture.arena import CALM, Guests, open_arena, save
from tests.torture.drivers import (
    MAINLINE,
    OURS,
    build_driver,
    digest,
    failing,
    tools_key,
    torture_entries,
    write_driver,
)
from tests.torture.kernels import SANITIZERS, debug_kernel
from tests.torture.program import FAMILIES, LOAD, Choice, given_up, program
from tests.torture.record import Record, Subject, read, take_up

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gen.lab.bench import Bench
    from tests.torture.arena import Saved
    from tests.torture.drivers import Driver
    from tests.torture.journal import Verdict
    from tests.torture.kernels import DebugKernel
    from tests.torture.program import Act

UNANSWERED = 3
HOW = Path(__file__).with_name("arena.py")
# How often in a row QEMU may crash.
CRASHES = 3
T = TypeVar("T")


@dataclass(frozen=True)
class _Run:
    """One driver in one kernel, and what is chosen of it; console logs go to `logs`."""

    record: Record
    bench: Bench
    chosen: Choice
    logs: Path
    again: bool

    def place(self, name: str) -> Path:
        """An empty directory for what one guest writes."""
        place = self.logs / re.sub(r"\W+", "-", name)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place

    def tell(self, result: acts.Result) -> None:
        """Keep a result and show it."""
        self.record.add(result)
        say(f"{self.record.subject.name}: {report.line(result)}")


async def _torture(
    series: str, which: str, sanitizer: str, chosen: Choice, results: Path, *, again: bool
) -> None:
    """One driver in one kernel, from its build to its last act."""
    device = shipped_device()
    bench = inspect(device, PC)
    built = debug_kernel(series, sanitizer, say)
    with tempfile.TemporaryDirectory(prefix="pvgen-torture-") as directory:
        source = Path(directory) / which
        own = write_driver(which, series, device, source)
        key = f"{built.key}-{own}-{tools_key()}-qemu-{bench.version}"
        record = take_up(results, Subject(series, which, sanitizer, built.release, key))
        run = _Run(record, bench, chosen, (results / record.subject.name).absolute(), again)
        say(f"{record.subject.name}: Linux {built.release}; logs in {run.logs}")
        # States are those of a machine and of what was done in it till then.
        kept = run.logs / "states" / f"{key}-{digest([HOW])}" / "guests.pickle"
        if not kept.is_file():
            work = run.place("states") / kept.parent.name
            shutil.copytree(source, work / "driver")
            guests = await _boot(run, build_driver(device, built, work / "driver"), built)
            kept.write_bytes(pickle.dumps(guests))
    guests = pickle.loads(kept.read_bytes())  # noqa: S301 (this program wrote it)
    await _play(run, guests)


async def _boot(run: _Run, driver: Driver, built: DebugKernel) -> Guests:
    """Both machines, up to the states in which acts begin."""
    work = driver.modules.parent
    modules = kernel.read_modules(driver.modules, run.bench.device)
    files = guest.build(modules, built.image, work, PC, torture_entries(built, work))
    saved: dict[str, Saved] = {}
    for firmware, name in ((True, LOAD), (False, f"{LOAD}: without firmware")):
        started = time.monotonic()
        boot = functools.partial(_save, run, files, work, name, firmware=firmware)
        found, spoken = await _survive(boot)
        saved |= found
        took = time.monotonic() - started
        run.tell(acts.Result(name, 1, took, spoken.reports, spoken.foreign))
    return Guests(driver, saved)


async def _save(
    run: _Run, files: guest.GuestFiles, work: Path, name: str, *, firmware: bool
) -> tuple[dict[str, Saved], Verdict]:
    return await save(run.bench, files, work, run.place(name), firmware=firmware)


async def _play(run: _Run, guests: Guests) -> None:
    """The acts that are not in the record yet, each in a guest of its own."""
    record = run.record
    calm = guests.saved[CALM]
    async with open_arena(calm, run.bench, guests.driver, run.place("symbols")) as arena:
        functions = await acts.symbols(arena)
    subject = record.subject
    fails = failing(guests.driver.calls, subject.series)
    for act in program(subject.sanitizer, functions, fails, run.chosen, lambda: record.results):
        if record.has(act.name, again=run.again):
            continue
        if given_up(act.family, record.results):
            continue
        run.tell(await _one(run, guests, act))


async def _one(run: _Run, guests: Guests, act: Act) -> acts.Result:
    """One act, in a guest of its own; what stops it is its problem."""
    place = run.place(act.name)
    started = time.monotonic()

    async def once() -> acts.Result:
        saved = guests.saved[act.state]
        async with open_arena(saved, run.bench, guests.driver, run.place(act.name)) as arena:
            return await acts.play(act.name, arena, act.play)

    try:
        result = await _survive(once)
    except LabError as error:
        took = time.monotonic() - started
        result = acts.Result(act.name, 0, took, problem=str(error))
    if result.passed:
        shutil.rmtree(place)
    return result


async def _survive(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try again when QEMU itself crashed.

    QEMU 10.0 does now and then where several processors run while its memory map changes.
    """
    for _ in range(CRASHES):
        try:
            return await attempt()
        except QemuGoneError as error:
            say(f"once more, since {error}")
    return await attempt()


def _all(results: Path) -> list[Record]:
    return [read(file) for file in sorted(results.glob("*.jsonl"))]


@click.command()
@click.option("--series", "all_series", multiple=True, default=("7.3", "6.12"), show_default=True)
@click.option("--sanitizer", "sanitizers", multiple=True, type=click.Choice(SANITIZERS),
              default=SANITIZERS, show_default=True, help="Which debug kernel.")  # fmt: skip
@click.option(
    "--driver", "drivers", multiple=True, type=click.Choice((OURS, MAINLINE)),
    default=(OURS, MAINLINE), show_default=True, help="Whose driver.",
)  # fmt: skip
@click.option("--panics", type=click.IntRange(0), default=200, show_default=True)
@click.option("--operations", type=click.IntRange(0), default=100000, show_default=True,
              help="How many reads and writes of attributes, at least.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(0.1), default=60.0, show_default=True,
              help="How long one guest does that.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(0), default=1000, show_default=True,
              help="How often the modules are loaded.")  # fmt: skip
@click.option("--plugs", type=click.IntRange(0), default=100, show_default=True,
              help="How often a device is plugged.")  # fmt: skip
@click.option("--power-offs", type=click.IntRange(0), default=50, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the first of each act.")
@click.option(
    "--act", "families", multiple=True, type=click.Choice(FAMILIES), default=FAMILIES,
    help="Which acts; all without it.",
)  # fmt: skip
@click.option("--again", is_flag=True, help="Play once more what failed.")
@click.option("--table", "only_table", is_flag=True, help="Play nothing, show what there is.")
@click.option("--results", type=click.Path(file_okay=False, path_type=Path),
              default=Path(".cache/torture"), show_default=True)  # fmt: skip
def main(  # noqa: PLR0917 (click names them)
    all_series: tuple[str, ...],
    sanitizers: tuple[str, ...],
    drivers: tuple[str, ...],
    panics: int,
    operations: int,
    seconds: float,
    rounds: int,
    plugs: int,
    power_offs: int,
    seed: int,
    families: tuple[str, ...],
    again: bool,
    only_table: bool,
    results: Path,
) -> None:
    """Torture the rendered driver and mainline's in kernels that watch themselves.

    Results are kept; what was played is not played again.
    """
    chosen = Choice(panics, operations, seconds, rounds, plugs, power_offs, seed, families)
    runs = [(s, d, k) for s in all_series for k in sanitizers for d in drivers]
    try:
        for series, driver, sanitizer in [] if only_table else runs:
            asyncio.run(_torture(series, driver, sanitizer, chosen, results, again=again))
    except (LabError, AssertionError) as error:
        fail(str(error), UNANSWERED)
    except OSError as error:
        fail(f"{error.filename or 'torture'}: {error.strerror or error}", UNANSWERED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("ended before everything was played", UNANSWERED)
    records = _all(results)
    click.echo("\n".join([report.table(records), *report.failures(records)]))
    sys.exit(report.exit_status(records))


if __name__ == "__main__":
    main()
