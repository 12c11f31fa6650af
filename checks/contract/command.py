# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `extract`: the contract that a driver's C implements."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from checks.contract.find import NoDriverError, find_driver
from checks.contract.read import NothingReadError, read_contract
from checks.contract.write import as_json, as_yaml
from gen.banner import read_banner
from gen.console import fail, report, say
from gen.generate import find_target
from gen.options import PathName, kernel_option
from gen.specs import GenerationError

if TYPE_CHECKING:
    from pathlib import Path

    from checks.contract.records import Contract


@click.command()
@click.argument("paths", nargs=-1, type=PathName(), metavar="PATH...")
@kernel_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="How to write the contract.",
)
def extract(paths: tuple[Path, ...], kernel: str | None, form: str) -> None:
    """Read out of C the contract that a driver implements.

    PATH is a driver's directory, a kernel tree, or single files (C files, headers, Kconfig,
    Makefile). The contract is written like a spec, each fact with its place; what could not be
    determined is listed as unknown. Exit status: 0 read, 2 wrong usage, 3 nothing could be read.
    """
    if not paths:
        fail("no path given: name a driver's directory, a kernel tree, or single files", 2)
    missing = [path for path in paths if not path.exists()]
    for path in missing:
        say(f"pvgen: {path}: no such file or directory")
    if missing:
        fail("", 2)
    if len(paths) > 1 and (whole := next((path for path in paths if path.is_dir()), None)):
        fail(f"{whole} is a directory; give one directory, or single files", 2)
    if sys.stdout is None:
        fail("standard output is closed, so that the contract cannot be written", 3)
    contract = contract_of(paths, kernel)
    click.echo(as_json(contract) if form == "json" else as_yaml(contract))
    if contract.unknown:
        say(f"pvgen: {len(contract.unknown)} things are unknown; the end of the list says which")


def contract_of(paths: tuple[Path, ...], kernel: str | None) -> Contract:
    """The contract of a driver; ends the program with a message where there is none.

    A directory that pvgen rendered is read with the interfaces of the kernel it was rendered for.
    """
    banner = read_banner(paths[0]) if len(paths) == 1 and kernel is None else None
    series = ".".join(banner.kernel.split(".")[:2]) if banner else kernel
    try:
        return read_contract(find_driver(paths), find_target(series, None).kernel)
    except GenerationError as error:
        fail(str(error), 2)
    except NoDriverError as error:
        fail(str(error), 3)
    except NothingReadError as error:
        report(error.diagnostics)
        fail(str(error), 3)
