# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory as a git revision has it, written out to be read as any other."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gen.git import GitError, git
from gen.objects import write_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# More files no driver has.
MAX_FILES = 5_000
_NAMES = frozenset({"Kconfig", "Makefile", "Kbuild"})
_LINK = "120000"


def directory(word: str) -> str | None:
    """How git calls the directory that `REVISION:PATH` names, from the top or from here."""
    revision, colon, path = word.partition(":")
    if not colon or not revision or word.startswith("-"):
        return None
    if path.endswith((".yaml", ".yml", ".c", ".h")):
        return None
    for name in dict.fromkeys((f"{revision}:{path}", f"{revision}:./{path}")):
        try:
            if git("cat-file", "-t", name).strip() == b"tree":
                return name
        except GitError:
            continue
    return None


def check_out(name: str, into: Path, places: tuple[str, ...], largest: int) -> None:
    """Write what a driver may be made of: C, headers, Kconfig and Makefiles.

    Args:
        name: what git calls the directory.
        into: where to write it.
        places: of a kernel tree, the directories in question.
        largest: the size in bytes of the largest file that is written.

    Raises:
        GitError: git cannot read it, there is too much, or it cannot be written.
    """
    top = git("ls-tree", "-z", "--name-only", name).split(b"\0")
    found = list(_files(name, places if b"drivers" in top else ()))
    if len(found) > MAX_FILES:
        raise GitError(f"{name} has more than {MAX_FILES} files; name the driver's directory")
    links = {path for mode, _, path in found if mode == _LINK}
    blobs = {path: blob for _, blob, path in found if path not in links}
    write_out(blobs, into, largest, links=links)


def _files(name: str, places: tuple[str, ...]) -> Iterator[tuple[str, str, PurePosixPath]]:
    """The mode, the object and the path of each file that may belong to a driver."""
    for line in git("ls-tree", "-r", "-z", "--full-tree", name, "--", *places).split(b"\0"):
        head, _, text = line.decode(errors="surrogateescape").partition("\t")
        path = PurePosixPath(text)
        if head and (path.suffix in {".c", ".h"} or path.name in _NAMES):
            mode, kind, blob = head.split()
            if kind == "blob":
                yield mode, blob, path
