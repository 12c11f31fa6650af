# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of the comparison with mainline's driver: `pvgen differential`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gen.console import fail, report, say
from gen.diagnostics import Diagnostics
from gen.generate import find_target, read_device
from gen.lab import bench as benches
from gen.lab import compare, kernel, surface
from gen.lab.board import PC
from gen.lab.command import BAD_USAGE, UNANSWERED, play
from gen.lab.problem import LabError
from gen.lab.scenario import Verdict
from gen.lab.stories import all_scenarios
from gen.model_restrict import NothingLeftError, restrict
from gen.options import spec_option
from gen.specs import GenerationError

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def _image(bench: Bench, mainline: Path, ours: Path) -> Path:
    """The image that both drivers were built for."""
    releases = [kernel.read_modules(place, bench.device).release for place in (mainline, ours)]
    if releases[0] != releases[1]:
        raise LabError(
            f"{mainline} is for Linux {releases[0]}, {ours} for {releases[1]}; build both alike"
        )
    return kernel.find_image(releases[0], None, (), say)


@click.command()
@spec_option
@click.option("--as-of", required=True, metavar="RELEASE", help="The release of both drivers.")
@click.option(
    "--mainline",
    required=True,
    type=click.Path(path_type=Path),
    help="Where mainline's built modules are.",
)
@click.option(
    "--ours",
    required=True,
    type=click.Path(path_type=Path),
    help="Where the rendered driver's built modules are.",
)
@click.option(
    "--listed",
    type=click.Path(path_type=Path),
    help="The reviewed list of differences; the project's own when absent.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Guests at a time."
)
@click.argument("names", metavar="[SCENARIO]...", nargs=-1)
def differential(  # noqa: PLR0917 (click names them)
    spec: Path | None,
    as_of: str,
    mainline: Path,
    ours: Path,
    listed: Path | None,
    jobs: int,
    names: tuple[str, ...],
) -> None:
    """Play the same scenarios with mainline's driver and ours; show what differs unlisted."""
    device, series = _device(spec, as_of)
    diagnostics = Diagnostics()
    entries = compare.read_list(listed or compare.default_list(), series, diagnostics)
    report(diagnostics)
    if entries is None:
        fail("nothing was compared", BAD_USAGE)
    try:
        bench = benches.inspect(device, PC)
        scenarios = choose(bench, names)
        image = _image(bench, mainline, ours)
        say(f"{mainline}: mainline's driver")
        theirs = observe(bench, scenarios, mainline, image, jobs)
        say(f"{ours}: the rendered driver")
        result = compare.compare(theirs, observe(bench, scenarios, ours, image, jobs), entries)
    except LabError as error:
        fail(str(error), UNANSWERED)
    except OSError as error:
        fail(f"{error.filename or 'the lab'}: {error.strerror or error}", UNANSWERED)
    except (KeyboardInterrupt, asyncio.CancelledError):
        fail("ended before everything was compared", UNANSWERED)
    click.echo(compare.table(result))
    sys.exit(1 if result.unlisted or result.stale else 0)
