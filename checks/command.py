# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands `check`, `explain` and `rules`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checks.baseline import NAME
from checks.catalogue import explanation, overview
from checks.control import accept, baselines, new_findings, read_baselines
from checks.report import FORMATS, as_text, verdict_table
from checks.rule import rules as all_rules
from checks.run import check_paths
from gen.banner import read_banner
from gen.console import fail, report, say
from gen.diagnostics import did_you_mean
from gen.diff.catalogue import explanation as diff_explanation
from gen.diff.catalogue import overview as diff_overview
from gen.diff.policy import diff_rules
from gen.generate import find_target, read_device
from gen.model_restrict import NothingLeftError, carry, restrict
from gen.options import PathName, as_of_option, kdir_option, kernel_option, spec_option
from gen.specs import GenerationError, shown_name

if TYPE_CHECKING:
    from checks.run import Report
    from gen.model import Device
    from gen.plan import Target

ANOTHER = (
    "Linux {} had another driver, with none of the spec's frontends; it is held against what both "
    "have: register, events, and the kernel's rules"
)
# So many rules are told one by one.
FEW = 4


@click.command()
@click.argument("paths", nargs=-1, type=PathName(), metavar="[PATH]...")
@spec_option
@kernel_option
@kdir_option
@as_of_option
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="How to write the report.",
)
@click.option(
    "--since",
    metavar="REV",
    help="Only findings that a git revision does not have: what a change brings.",
)
@click.option(
    "--baseline",
    "baseline_file",
    type=PathName(dir_okay=False),
    metavar="FILE",
    help=f"Accepted findings; without this, {NAME} in a checked directory.",
)
@click.option("--write-baseline", is_flag=True, help="Accept what is found; needs --reason.")
@click.option("--reason", metavar="TEXT", help="With --write-baseline: why new findings are fine.")
@click.option("--verdicts", is_flag=True, help="Also show what became of each rule (text only).")
def check(  # noqa: PLR0917 (an option is a parameter)
    paths: tuple[Path, ...],
    spec: Path | None,
    kernel: str | None,
    kdir: Path | None,
    as_of: str | None,
    form: str,
    since: str | None,
    baseline_file: Path | None,
    write_baseline: bool,
    reason: str | None,
    verdicts: bool,
) -> None:
    """Check a driver's source against the spec.

    PATH is a directory as 'pvgen gen' writes it (default: out), a kernel tree or a part of one, or
    single files. Exit status: 0 nothing found, 1 findings, 2 wrong usage, 3 not all was read.
    """
    paths = paths or (Path("out"),)
    if write_baseline and not (reason or "").split():
        fail("--write-baseline needs --reason: why what is found is acceptable", 2)
    if write_baseline and since:
        fail("--write-baseline and --since do not go together", 2)
    device, target = _contract(spec, kernel, as_of, kdir)
    if kdir is not None:
        _refuse_others(paths, device, target)
    places = [baseline_file] if baseline_file else baselines(paths)
    if write_baseline:
        accept(places, paths, device, target.kernel, reason or "")
        return
    baseline = read_baselines(places)
    result = check_paths(paths, device, target.kernel, baseline=baseline)
    if since is not None:
        result = new_findings(result, paths, since, device, target.kernel)
    if form == "text":
        click.echo(as_text(result, colour=_colour()))
        if verdicts:
            click.echo(verdict_table(result.judgements))
    elif text := FORMATS[form](result):
        click.echo(text)
    _tell_undecided(result)
    if kdir is not None and any(item.rule.startswith("PORT") for item in result.findings):
        _tell_cure(paths, kdir, target)
    sys.exit(result.status)


def _contract(
    spec: Path | None, kernel: str | None, as_of: str | None, kdir: Path | None
) -> tuple[Device, Target]:
    """The device and the target that the options name."""
    try:
        device, target = read_device(spec), find_target(kernel, as_of, kdir)
        contract = restrict(device, target.as_of, shared=True) if target.as_of else device
        if not contract.frontends:
            say(f"pvgen: {ANOTHER.format(target.as_of)}")
        if target.kernel.caveat:
            say(f"pvgen: {target.kernel.caveat}")
        # What the kernel has no hook for cannot be asked of a driver for it.
        return carry(contract, target.kernel)[0], target
    except GenerationError as error:
        report(error.diagnostics)
        fail(str(error), 2)
    except NothingLeftError as error:
        fail(str(error), 2)


def _refuse_others(paths: tuple[Path, ...], device: Device, target: Target) -> None:
    """A directory that was rendered from another spec or for another contract is not judged."""
    for path in paths:
        banner = read_banner(path)
        asked = (shown_name(Path(device.source.name)), str(target.as_of) if target.as_of else None)
        if banner and (banner.spec, banner.as_of) != asked:
            words = f"SPEC={banner.spec}" + (f" AS_OF={banner.as_of}" if banner.as_of else "")
            told = f"{asked[0]} {f'as of {asked[1]}' if asked[1] else 'as a whole'}"
            fail(
                f"{path} was rendered by '{banner.command}', not from {told}; "
                f"render it again, or say {words} (--spec, --as-of)",
                2,
            )


def _tell_cure(paths: tuple[Path, ...], kdir: Path, target: Target) -> None:
    """Say of rendered directories for which kernel they are, and how to get them for this one."""
    for path in paths:
        banner = read_banner(path)
        if banner:
            say(
                f"pvgen: {path} is rendered for Linux {banner.kernel}, and {kdir} is "
                f"{target.kernel.probed}; render it for that tree: make gen KDIR={kdir} OUT={path}"
            )


def _tell_undecided(result: Report) -> None:
    """Say on stderr what the answer does not cover."""
    if result.status == 3:  # noqa: PLR2004 (the contract's number for an incomplete answer)
        say("pvgen: not everything could be read; --verdicts says what")
    reasons: dict[str, list[str]] = {}
    for item in result.undecided:
        reasons.setdefault(item.why, []).append(item.rule.id)
    for why, ids in reasons.items():
        few = ", ".join(ids) if len(ids) <= FEW else f"{ids[0]} … {ids[-1]} ({len(ids)} rules)"
        say(f"pvgen: could not judge {few}: {why}")


def _colour() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


@click.command()
@click.argument("rule")
def explain(rule: str) -> None:
    """Say what a RULE of the checker or of 'pvgen diff' is about, and why."""
    table, diffs = all_rules(), diff_rules()
    word = rule.upper()
    if word in diffs:
        click.echo(diff_explanation(diffs[word]))
    elif word in table:
        click.echo(explanation(table[word]))
    else:
        close = did_you_mean(word, [*table, *diffs])
        fail(f"no rule '{rule}'; " + (close or "'pvgen rules' lists them"), 2)


@click.command(name="rules")
def rules_command() -> None:
    """List the rules of the checker, then those of 'pvgen diff'."""
    click.echo(overview(all_rules().values()))
    click.echo(diff_overview(diff_rules().values()))
