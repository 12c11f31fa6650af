# SPDX-License-Identifier: GPL-2.0-or-later
"""Baselines and revisions as the command line names them; what is wrong with them ends the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from checks import baseline
from checks.baseline import NAME, Baseline
from checks.report import as_text
from checks.run import check_paths
from checks.since import SinceError, old_paths, only_new
from checks.suppress import CONTROL, NEVER
from gen.baseline import BaselineError, baseline_text, refuse_link
from gen.console import fail, report, say
from gen.git import GitError
from gen.output import status_of, write_file

if TYPE_CHECKING:
    from pathlib import Path

    from checks.run import Report
    from gen.kernel import Kernel
    from gen.model import Device


def baselines(paths: tuple[Path, ...]) -> list[Path]:
    """The baselines that the given directories have."""
    places = [path / NAME for path in paths]
    try:
        for place in places:
            refuse_link(place)
    except BaselineError as error:
        fail(str(error), 2)
    return [place for place in places if place.is_file()]


def read_baselines(places: list[Path]) -> Baseline:
    """All entries of several baselines."""
    try:
        return baseline.read_baselines(places)
    except BaselineError as error:
        report(error.diagnostics)
        fail(str(error), 2)


def accept(
    places: list[Path], paths: tuple[Path, ...], device: Device, kernel: Kernel, reason: str
) -> None:
    """Accept everything that is found, in one file."""
    if len(places) > 1 or (not places and not paths[0].is_dir()):
        fail("name the file to write with --baseline", 2)
    place = places[0] if places else paths[0] / NAME
    old = read_baselines([place] if place.is_file() else [])
    result = check_paths(paths, device, kernel)
    if any(item.rule in NEVER and item.rule not in CONTROL for item in result.findings):
        click.echo(as_text(result))
        fail("not everything could be read, so no baseline is written", 3)
    marks = set(result.fingerprints)
    accepted = [one for one in result.known
                if one.fingerprint in marks and one.item.rule not in NEVER]  # fmt: skip
    rows = [(one.fingerprint, one.item.rule, one.path) for one in accepted]
    text = baseline_text("pvgen check", rows, old.entries, " ".join(reason.split()))
    try:
        write_file(place, text)
    except OSError as error:
        fail(f"{place}: {error.strerror}", status_of(error))
    say(f"{place}: {len(accepted)} findings accepted")


def new_findings(
    result: Report, paths: tuple[Path, ...], revision: str, device: Device, kernel: Kernel
) -> Report:
    """What the revision does not have."""
    try:
        with old_paths(paths, revision, device) as there:
            if len(there) < len(paths):
                say(f"pvgen: not every path is in {revision}; what it lacks is new")
            old = check_paths(there, device, kernel) if there else None
            return only_new(result, old)
    except SinceError as error:
        fail(str(error), error.status)
    except (OSError, GitError) as error:
        fail(f"the files of {revision} cannot be taken out of git: {error}", 3)
