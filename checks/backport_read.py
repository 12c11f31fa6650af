# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver's texts as files that the checker and the contract reader take, and what is read there.

They lie in a room of their own, which no message names.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from checks.contract.find import NoDriverError, find_driver
from checks.contract.read import NothingReadError, read_contract
from gen.backport.records import BackportError
from gen.room import scratch_room

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from checks.contract.records import Contract
    from checks.tree import SourceTree
    from gen.backport.tree import KernelTree
    from gen.kernel import Kernel
    from gen.source import Source


@contextmanager
def laid_out(
    tree: KernelTree, files: Mapping[str, str | None], *, parents: bool = False
) -> Iterator[Path]:
    """The driver's files in a room of their own; with `parents`, those that others share, too."""
    with scratch_room() as room:
        shared = set() if parents else {f"{tree.parent}/Kconfig", f"{tree.parent}/Makefile"}
        for path, text in files.items():
            if text is not None and path not in shared:
                place = room / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8", newline="")
        yield room


def read_driver(
    tree: KernelTree, files: Mapping[str, str | None], kernel: Kernel, *, parents: bool = False
) -> Contract:
    """The contract that is read back out of a driver's C.

    Raises:
        BackportError: there is none to be read.
    """
    with laid_out(tree, files, parents=parents) as room:
        try:
            return read_contract(as_called(tree, files, room, find_driver([room])), kernel)
        except (NoDriverError, NothingReadError) as error:
            why = str(error).replace(str(room), str(tree.root))
            raise BackportError(f"{tree.root}: what its driver does cannot be read: {why}") from (
                None)  # fmt: skip


def refuse_torn(tree: KernelTree, kernel: Kernel) -> Contract:
    """The contract of the tree's own driver, of which no part may be missing.

    Raises:
        BackportError: there are signs that one is.
    """
    try:
        read = read_driver(tree, tree.files, kernel, parents=True)
    except BackportError as error:
        raise BackportError(f"{error}; the source may be not whole") from None
    for one in (item for item in read.unknown if item.path == "driver"):
        where = one.at or tree.root
        raise BackportError(f"{where}: {one.why}; the source may be not whole")
    return read


def as_called(
    tree: KernelTree, files: Mapping[str, str | None], room: Path, found: SourceTree
) -> SourceTree:
    """The driver's files under the names that they have for the user, who knows of no room."""

    def called(source: Source) -> Source:
        path = source.name.removeprefix(f"{room}/")
        own = files.get(path) == tree.files.get(path)
        # What is not in the tree is called as in the mails.
        return replace(source, name=str(tree.root / path) if own else path)

    members = tuple(replace(one, source=called(one.source)) for one in found.files)
    problems = tuple(
        replace(one, span=replace(one.span, source=called(one.span.source)))
        for one in found.problems
    )
    return replace(found, name=str(tree.root), files=members, problems=problems)
