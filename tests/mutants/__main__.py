# SPDX-License-Identifier: GPL-2.0-or-later
"""Mutate drivers and count what the checker notices: `python -m tests.mutants`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import click

from gen.lab.problem import LabError
from tests.mutants import report
from tests.mutants.catalogue import CHOICES, subjects
from tests.mutants.judge import Baseline, Subject, baseline, judge_all
from tests.mutants.operators import Family, Mutant, mutants

FAMILIES = {family.name.lower(): family for family in Family}


@click.command()
@click.option("--driver", type=click.Choice(list(CHOICES)), default="both", show_default=True)
@click.option("--family", type=click.Choice(list(FAMILIES)), help="Only this family.")
@click.option("--operator", "name", help="Only this operator.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the outcomes there.")
@click.option("--jobs", type=int, default=os.cpu_count() or 1, show_default=True)
@click.option("--quiet", is_flag=True, help="Do not show the mutants that were not killed.")
def main(  # noqa: PLR0917 (an option is a parameter)
    driver: str, family: str | None, name: str | None, file: Path | None, jobs: int, quiet: bool
) -> None:
    """Apply every operator to the drivers, and check each result.

    Exit status: 0 if the share of mutants that the checker names is at the bar, 1 if it is below,
    or if the checker is not silent on an unmutated driver; 3 if a driver could not be had.
    """
    begin = time.monotonic()
    try:
        chosen = list(subjects(driver))
    except LabError as error:
        click.echo(f"mutants: {error}", err=True)
        sys.exit(3)
    before = {subject.driver.name: baseline(subject) for subject in chosen}
    work: list[tuple[Subject, Mutant, Baseline]] = [
        (subject, mutant, before[subject.driver.name])
        for subject in chosen
        for mutant in mutants(subject.driver, FAMILIES[family] if family else None)
        if name in {None, mutant.operator.name}
    ]
    if not work:
        click.echo("mutants: nothing chosen", err=True)
        sys.exit(2)
    outcomes = judge_all(work, jobs)
    seconds = time.monotonic() - begin
    loud = {key: item for key, item in before.items() if item.errors}
    if not quiet:
        click.echo(report.leftovers(work, outcomes) + "\n")
    click.echo(report.matrix(outcomes) + "\n")
    click.echo(report.rates(outcomes, loud) + "\n")
    for key, item in loud.items():
        click.echo(f"{key}, unmutated, is not silent: {'; '.join(item.errors)}")
    click.echo(f"{len(outcomes)} mutants in {seconds:.1f} s; the bar is {report.BAR:.0%}")
    if file is not None:
        data = report.as_data(outcomes, before, seconds)
        file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if loud or report.rate(outcomes) < report.BAR else 0)


if __name__ == "__main__":
    main()
