# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver's directory as one side of `pvgen diff`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from checks.contract.find import PLACES, NoDriverError, find_driver
from checks.contract.parts import around, parts
from checks.contract.read import NothingReadError, read_contract
from checks.tree import MAX_BYTES
from gen.banner import read_banner
from gen.diff.checkout import check_out
from gen.diff.records import TreeSide
from gen.diff.sides import SideError
from gen.generate import find_target
from gen.git import GitError
from gen.source import Source
from gen.specs import GenerationError

if TYPE_CHECKING:
    from checks.tree import SourceTree


def read_tree(label: str, tree: Path | str, series: str | None) -> TreeSide:
    """The contract of the driver in a directory; a text is what git calls it.

    Without a series, one that pvgen rendered is read with the interfaces that it was rendered for.

    Raises:
        SideError: no such series (status 2), or there is no driver or nothing to be read (3).
    """
    if isinstance(tree, Path):
        return _read(label, tree, series, None)
    with TemporaryDirectory(prefix="pvgen-") as place:
        try:
            check_out(tree, Path(place), PLACES, MAX_BYTES)
        except GitError as error:
            raise SideError(f"{label}: {error}", 3) from None
        return _read(label, Path(place), series, tree)


def _read(label: str, tree: Path, series: str | None, shown: str | None) -> TreeSide:
    banner = None if series else read_banner(tree)
    if banner:
        series = ".".join(banner.kernel.split(".")[:2])
    try:
        kernel = find_target(series, None).kernel
        found = find_driver([tree])
        if shown is not None:
            found = _called(found, str(tree), shown)
        contract = read_contract(found, kernel)
    except GenerationError as error:
        raise SideError(str(error), 2) from None
    except NoDriverError as error:
        raise SideError(str(error).replace(str(tree), shown or str(tree)), 3) from None
    except NothingReadError as error:
        raise SideError(str(error), 3, error.diagnostics) from None
    pieces = parts(found) + around(tree, found, _beginning(shown or str(tree)))
    return TreeSide(label, contract.items, contract.unknown, pieces)


def _beginning(name: str) -> str:
    """How the names of a directory's files begin."""
    return name if name.endswith(":") else f"{name}/"


def _called(found: SourceTree, place: str, name: str) -> SourceTree:
    """The tree with its files called as git calls them, and not by where they were written."""
    base = _beginning(name)

    def called(source: Source) -> Source:
        return Source(base + source.name.removeprefix(f"{place}/"), source.text)

    files = tuple(replace(file, source=called(file.source)) for file in found.files)
    problems = tuple(
        replace(one, span=replace(one.span, source=called(one.span.source)))
        for one in found.problems
    )
    return replace(found, name=name, files=files, problems=problems)
