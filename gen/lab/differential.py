# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of the comparison with mainline's driver: `pvgen differential`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import click

from gen.console import fail, report, say
from gen.diagnostics import Diagnostics
from gen.generate import find_target, read_device
from gen.kernel import KernelFactsError
from gen.kernel_load import load_kernels
from gen.lab import bench as benches
from gen.lab import compare, kernel, surface
from gen.lab.board import PC
from gen.lab.command import BAD_USAGE, UNANSWERED, play
from gen.lab.mainline import Pair, build_pair, comparable
from gen.lab.problem import LabError
from gen.lab.scenario import Verdict
from gen.lab.stories import all_scenarios
from gen.model_restrict import NothingLeftError, restrict
from gen.options import PathName, spec_option
from gen.output import write_file
from gen.resources import kernel_directory
from gen.room import scratch_room
from gen.specs import GenerationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gen.lab.bench import Bench
    from gen.lab.scenario import Scenario
    from gen.model import Device

MODINFO = "modinfo"
# Their writers race on purpose, so that two runs of one driver differ.
RACES = frozenset({"storm", "panic-storm"})


def _device(spec: Path | None, as_of: str) -> tuple[Device, str]:
    """The device as that release had it, and the release's series."""
    try:
        release = find_target(None, as_of).as_of
        if release is None:
            fail("no release was named", BAD_USAGE)
        return restrict(read_device(spec), release), str(release.series)
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), BAD_USAGE)
    except NothingLeftError as error:
        fail(str(error), BAD_USAGE)


def choose(bench: Bench, names: Sequence[str]) -> list[Scenario]:
    """The scenarios to compare in: those named, else all that can be played and do not race.

    Raises:
        click.UsageError: a name that is none.
    """
    scenarios = [surface.scenario(bench), *all_scenarios(bench)]
    known = [s for s in scenarios if s.name not in RACES]
    unknown = sorted(set(names) - {s.name for s in known})
    if unknown:
        every = ", ".join(s.name for s in known)
        raise click.UsageError(f"cannot compare in {', '.join(unknown)}; one of: {every}")
    applicable = [s for s in known if not s.obstacle or s.obstacle.verdict is Verdict.UNAVAILABLE]
    return [s for s in (known if names else applicable) if not names or s.name in names]


def observe(
    bench: Bench, scenarios: Sequence[Scenario], directory: Path, image: Path, jobs: int
) -> dict[compare.Place, str]:
    """All that one driver shows, in its modules and in the guest.

    Raises:
        LabError: something could not be looked at; a guest's failure is an observation instead.
    """
    modules = kernel.read_modules(directory, bench.device)
    outcomes = play(bench, scenarios, modules, image, jobs)
    unanswered = {Verdict.ERROR, Verdict.UNAVAILABLE, Verdict.INAPPLICABLE}
    for outcome in outcomes:
        if outcome.verdict in unanswered:
            raise LabError(f"{outcome.name} with {directory}: {outcome.reason}")
    told = compare.places(MODINFO, surface.modules(bench.device, directory))
    return told | compare.observations(outcomes)


def _released(bench: Bench, pair: Pair) -> Pair:
    """The same pair, which has to be for one kernel."""
    releases = [kernel.read_modules(p, bench.device).release for p in (pair.mainline, pair.ours)]
    if releases[0] != releases[1]:
        raise LabError(
            f"{pair.mainline} is for Linux {releases[0]}, {pair.ours} for {releases[1]}; "
            "build both alike"
        )
    return replace(pair, release=releases[0])


@dataclass(frozen=True)
class How:
    """What all comparisons of a run share: the options of the command."""

    spec: Path | None
    listed: Path
    jobs: int
    names: tuple[str, ...]

    def row(self, series: str, work: Callable[[], tuple[str, compare.Comparison]]) -> compare.Row:
        """One comparison; what kept it from being made is told in its row, and others go on."""
        start = time.monotonic()
        say(f"==> Linux {series}")
        try:
            release, result = work()
        except (LabError, OSError) as error:
            text = (
                f"{error.filename or 'the lab'}: {error.strerror or error}"
                if isinstance(error, OSError)
                else str(error)
            )
            return compare.Row(series, "", None, time.monotonic() - start, text)
        click.echo(compare.table(result))
        return compare.Row(series, release, result, time.monotonic() - start)

    def pair(
        self, as_of: str, pair: Pair, suites: tuple[str, ...] = ()
    ) -> tuple[str, compare.Comparison]:
        """Play both drivers of a release; the kernel's release, and the comparison.

        Raises:
            LabError: something cannot be looked at.
        """
        device, series = _device(self.spec, as_of)
        diagnostics = Diagnostics()
        entries = compare.read_list(self.listed, series, diagnostics)
        report(diagnostics)
        if entries is None:
            fail("nothing was compared", BAD_USAGE)
        bench = benches.inspect(device, PC)
        scenarios = choose(bench, self.names)
        pair = _released(bench, pair)
        image = kernel.find_image(pair.release, None, suites, say)
        say(f"{pair.mainline}: mainline's driver")
        theirs = observe(bench, scenarios, pair.mainline, image, self.jobs)
        say(f"{pair.ours}: the rendered driver")
        ours = observe(bench, scenarios, pair.ours, image, self.jobs)
        return pair.release, compare.compare(theirs, ours, entries)

    def series(self, series: str) -> tuple[str, compare.Comparison]:
        """Build both drivers of a series on its own headers and compare them."""
        suites = find_target(series, None).kernel.suites
        with scratch_room() as directory:
            pair = build_pair(self.spec, series, directory, say)
            return self.pair(series, pair, suites)


def _series(spec: Path | None) -> list[str]:
    """The series for which both drivers can be built, or the end of the program."""
    try:
        return comparable(read_device(spec), load_kernels(kernel_directory()).all)
    except (GenerationError, KernelFactsError) as error:
        report(error.diagnostics if isinstance(error, GenerationError) else Diagnostics())
        fail(str(error), BAD_USAGE)


def _chosen(spec: Path | None, series: Sequence[str]) -> list[str]:
    """The series named, or all; one that cannot be compared is told before any is played.

    Raises:
        click.UsageError: there is such a one.
    """
    known = _series(spec)
    odd = sorted(set(series) - set(known))
    if odd:
        raise click.UsageError(f"cannot compare on {', '.join(odd)}; one of: {', '.join(known)}")
    return list(dict.fromkeys(series)) or known


def _pair(
    mainline: Path | None, ours: Path | None, series: tuple[str, ...], as_of: str | None
) -> Pair | None:
    """The two directories, or None where series are to be built; half of it is wrong usage."""
    if mainline is None and ours is None and as_of is None:
        return None
    if series:
        raise click.UsageError("--kernel builds both drivers; give it alone")
    if mainline is None or ours is None or as_of is None:
        raise click.UsageError("give --kernel, or all of --as-of, --mainline and --ours")
    return Pair(mainline, ours, "")


@click.command()
@spec_option
@click.option(
    "--kernel",
    "series",
    metavar="SERIES",
    multiple=True,
    help="Build both drivers for this series; may be given several times. All when absent.",
)
@click.option("--as-of", metavar="RELEASE", help="The release of two drivers that are built.")
@click.option("--mainline", type=PathName(), help="Where mainline's built modules are.")
@click.option("--ours", type=PathName(), help="Where the rendered driver's built modules are.")
@click.option(
    "--listed",
    type=PathName(),
    help="The reviewed list of differences; the project's own when absent.",
)
@click.option("--json", "json_file", type=PathName(dir_okay=False), help="Also write JSON.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Guests at a time."
)
@click.option(
    "--list", "only_list", is_flag=True, help="List the series for --kernel, as JSON, and end."
)
@click.argument("names", metavar="[SCENARIO]...", nargs=-1)
def differential(  # noqa: PLR0917 (click names them)
    spec: Path | None,
    series: tuple[str, ...],
    as_of: str | None,
    mainline: Path | None,
    ours: Path | None,
    listed: Path | None,
    json_file: Path | None,
    jobs: int,
    only_list: bool,
    names: tuple[str, ...],
) -> None:
    """Play the same scenarios with mainline's driver and ours; show what differs unlisted.

    Without --mainline and --ours both are built, for each series on its own headers from Debian,
    mainline's from its sources.
    """
    if only_list:
        click.echo(json.dumps(_series(spec)))
        return
    pair = _pair(mainline, ours, series, as_of)
    how = How(spec, listed or compare.default_list(), jobs, names)
    try:
        if pair is None:
            rows = [how.row(name, partial(how.series, name)) for name in _chosen(spec, series)]
        else:
            rows = [how.row(str(as_of), partial(how.pair, str(as_of), pair))]
        if json_file is not None:
            write_file(json_file, compare.as_json(rows))
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), BAD_USAGE)
    except OSError as error:
        fail(f"{error.filename or 'the result'}: {error.strerror or error}", UNANSWERED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("ended before everything was compared", UNANSWERED)
    click.echo(compare.overview(rows))
    statuses = {row.status for row in rows}
    sys.exit(1 if 1 in statuses else max(statuses))
