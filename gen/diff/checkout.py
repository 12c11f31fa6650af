# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory as a git revision has it, written out to be read as any other."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gen.git import GitError, git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# More files, or more bytes in one, no driver has; what is left out is told as not there.
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


def check_out(name: str, into: Path, places: tuple[str, ...]) -> None:
    """Write what a driver may be made of: C, headers, Kconfig and Makefiles.

    Args:
        name: what git calls the directory.
        into: where to write it.
        places: of a kernel tree, the directories in question.

    Raises:
        GitError: git cannot read it, or there are too many files.
    """
    top = git("ls-tree", "-z", "--name-only", name).split(b"\0")
    found = list(_files(name, places if b"drivers" in top else ()))
    if len(found) > MAX_FILES:
        raise GitError(f"{name} has more than {MAX_FILES} files; name the driver's directory")
    shown = git("cat-file", "--batch", text=b"".join(f"{blob}\n".encode() for _, blob, _ in found))
    at = 0
    for mode, _, path in found:
        end = shown.index(b"\n", at)
        size = int(shown[at:end].split()[2])
        data, at = shown[end + 1 : end + 1 + size], end + size + 2
        file = into / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if mode == _LINK:
            file.symlink_to(os.devnull)
        else:
            file.write_bytes(data)


def _files(name: str, places: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """The mode, the object and the path of each file that may belong to a driver."""
    for line in git("ls-tree", "-r", "-z", "--full-tree", name, "--", *places).split(b"\0"):
        head, _, path = line.decode(errors="surrogateescape").partition("\t")
        pure = PurePosixPath(path)
        if head and (pure.suffix in {".c", ".h"} or pure.name in _NAMES):
            mode, kind, blob = head.split()
            if kind == "blob":
                yield mode, blob, path
