# SPDX-License-Identifier: GPL-2.0-or-later
"""The patch of one file as git writes it, so that what it is redirected to can be applied.

The text between two versions is git's own. What stands above it is written here, because git, which
is given two versions outside of a repository, cannot know the names that they have in one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from gen.git import GitError, git
from gen.room import scratch_room

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING = "."  # the mode of a file that is not there
LINK = "120000"
_DIFFERENT = 1
_BODY = re.compile(rb"^(?:--- |Binary files )", re.MULTILINE)
_INDEX = re.compile(rb"^index (\S+)", re.MULTILINE)
_PLAIN = range(0x20, 0x7F)


def patch(
    texts: tuple[bytes | None, bytes | None],
    names: tuple[str, str],
    modes: tuple[str, str],
    header: str,
) -> bytes:
    """The patch from one version to the other.

    Args:
        texts: both versions, None where there is none.
        names: their paths in the repository.
        modes: their modes in octal, `.` where there is none.
        header: what git says of a rename; empty for any other change.
    """
    try:
        told = _compared(texts, names, modes)
    except (GitError, OSError, ValueError) as error:
        return f"# no patch can be shown: {error}\n".encode(errors="surrogateescape")
    body, index = _BODY.search(told), _INDEX.search(told)
    lines = [f"diff --git {_quoted(f'a/{names[0]}')} {_quoted(f'b/{names[1]}')}", *_modes(*modes)]
    if header:
        lines += header.rstrip("\n").split("\n")
    elif index:
        same = f" {modes[0]}" if modes[0] == modes[1] else ""
        lines.append(f"index {index[1].decode()}{same}")
    above = "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")
    return above + (told[body.start() :] if body else b"")


def _compared(
    texts: tuple[bytes | None, bytes | None], names: tuple[str, str], modes: tuple[str, str]
) -> bytes:
    """What git says of both versions, which it finds as a/NAME and b/NAME."""
    with scratch_room() as place:
        sides = []
        for top, text, name, mode in zip("ab", texts, names, modes, strict=True):
            sides.append(f"{top}/{name}" if text is not None else os.devnull)
            if text is not None:
                _write(Path(place, top, name), text, mode)
        words = ("diff", "--no-index", "--no-prefix", "--no-ext-diff", "--no-textconv",
                 "--no-color", "--", *sides)  # fmt: skip
        return git(*words, directory=place, fine=(0, _DIFFERENT))


def _write(path: Path, text: bytes, mode: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode == LINK:
        path.symlink_to(os.fsdecode(text))
        return
    path.write_bytes(text)
    path.chmod(0o700 if mode.endswith("755") else 0o600)


def _modes(old: str, new: str) -> Iterator[str]:
    """What git says of a file that comes, goes or has other rights."""
    if old == NOTHING:
        yield f"new file mode {new}"
    elif new == NOTHING:
        yield f"deleted file mode {old}"
    elif old != new:
        yield from (f"old mode {old}", f"new mode {new}")


def _quoted(name: str) -> str:
    """A path as git writes it: in quotes with escapes where it has odd characters."""
    data = os.fsencode(name)
    if all(byte in _PLAIN and byte not in b'"\\' for byte in data):
        return name
    escaped = "".join(
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if byte in _PLAIN else f"\\{byte:03o}"
        for byte in data
    )
    return f'"{escaped}"'
