# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands `check`, `explain` and `rules`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from checks.catalogue import explanation, overview
from checks.report import FORMATS, as_text, verdict_table
from checks.rule import rules as all_rules
from checks.run import check_paths
from gen.console import fail, report, say
from gen.diagnostics import did_you_mean
from gen.generate import GenerationError, find_target, read_device
from gen.model_restrict import NothingLeftError, restrict
from gen.options import as_of_option, kernel_option, spec_option


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@spec_option
@kernel_option
@as_of_option
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="How to write the report.",
)
@click.option("--verdicts", is_flag=True, help="Also show what became of each rule (text only).")
def check(  # noqa: PLR0917 (an option is a parameter)
    paths: tuple[Path, ...],
    spec: Path | None,
    kernel: str | None,
    as_of: str | None,
    form: str,
    verdicts: bool,
) -> None:
    """Check a driver's source against the spec.

    PATH is a directory as 'pvgen gen' writes it (default: out), a kernel tree or a part of one, or
    single files. Exit status: 0 nothing found, 1 findings, 2 wrong usage, 3 not all was judged.
    """
    try:
        device, target = read_device(spec), find_target(kernel, as_of)
        if target.as_of:
            device = restrict(device, target.as_of)
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except NothingLeftError as error:
        fail(str(error), 2)
    result = check_paths(paths or (Path("out"),), device, target.kernel)
    if form == "text":
        click.echo(as_text(result, colour=_colour()))
        if verdicts:
            click.echo(verdict_table(result.judgements))
    elif text := FORMATS[form](result):
        click.echo(text)
    if result.status == 3:  # noqa: PLR2004 (the contract's number for an incomplete answer)
        say("pvgen: not everything could be judged; --verdicts says what")
    sys.exit(result.status)


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


@click.command()
@click.argument("rule")
def explain(rule: str) -> None:
    """Say what a RULE of the checker is about, and why."""
    table = all_rules()
    record = table.get(rule.upper())
    if record is None:
        close = did_you_mean(rule.upper(), table)
        fail(f"no rule '{rule}'; " + (close or "'pvgen rules' lists them"), 2)
    click.echo(explanation(record))


@click.command(name="rules")
def rules_command() -> None:
    """List the rules of the checker."""
    click.echo(overview(all_rules().values()))
