# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands between `git show` and the pager: the findings of a spec put above its patch.

`git show` calls no external diff unless it is told to, but what it pages goes through a command
that a repository can set. The patch's own `index` line says which two texts it is between.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, BinaryIO

from gen.diff.sides import SideError, git
from gen.git import GitError
from gen.git import git as run_git
from gen.load import MAX_BYTES
from gen.objects import blob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DRIVER = "pvgen"
# The scopes of git's configuration that are the user's, and not a repository's.
_OWN = frozenset({"system", "global"})
# How git quotes a path: bytes in octal, and the letters that C has, too.
_ESCAPE = re.compile(rb'\\(?:([0-3][0-7]{2})|([abtnvfr"\\]))')
_PAIRS = zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True)
_LETTERS = {bytes([letter]): bytes([meant]) for letter, meant in _PAIRS}
_COLOUR = re.compile(rb"\x1b\[[0-9;]*[mK]")
_HEAD = b"diff --git "
_INDEX = re.compile(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)(?: [0-7]+)?")
_HEADERS = (b"index ", b"old mode ", b"new mode ", b"similarity ", b"dissimilarity ", b"rename ",
            b"copy ", b"new file ", b"deleted file ")  # fmt: skip


def page() -> None:
    """Standard input to the user's pager, with findings."""
    command = user_pager()
    # The pager answers the interrupts that are meant for it; this goes on until it ends.
    with subprocess.Popen(command, shell=True, stdin=subprocess.PIPE) as pager:  # noqa: S602 (as git calls it)
        if pager.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
            _copy(sys.stdin.buffer, pager.stdin)
        with contextlib.suppress(BrokenPipeError):
            pager.stdin.close()
        while pager.poll() is None:
            with contextlib.suppress(KeyboardInterrupt):
                pager.wait()


def _copy(source: BinaryIO, sink: BinaryIO | object) -> None:
    write, flush = getattr(sink, "write"), getattr(sink, "flush")  # noqa: B009
    for line in explained(iter(source.readline, b"")):
        write(line)
        flush()


def explained(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of git's output, each spec's findings above its patch."""
    held: list[bytes] = []
    for line in lines:
        plain = _COLOUR.sub(b"", line).rstrip(b"\r\n")
        if held and plain.startswith(_HEADERS):
            held.append(line)
            continue
        if held:
            yield from _told(held)
            held = []
        if plain.startswith(_HEAD):
            held = [line]
        else:
            yield line
    if held:
        yield from _told(held)


def _told(held: list[bytes]) -> Iterator[bytes]:
    """The header of a patch, and the findings above it."""
    plain = [_COLOUR.sub(b"", line).rstrip(b"\r\n") for line in held]
    marks = [match for line in plain if (match := _INDEX.fullmatch(line))]
    name = _name(plain)
    if marks and name and _is_spec(name):
        # Only now: what loads specs takes longer to load than a page to show.
        from gen.diff.git import semantic  # noqa: PLC0415

        old, new = (_blob(mark) for mark in marks[0].groups())
        if old is not None and new is not None:
            yield semantic(old, new, name, name).encode()
    yield from held


def _name(plain: list[bytes]) -> str:
    """The path of the new side, without its prefix; empty where it cannot be told."""
    for line in plain:
        if line.startswith((b"rename to ", b"copy to ")):
            return _unquoted(line.partition(b" to ")[2])
    rest = plain[0][len(_HEAD) :]
    name = _unquoted(rest[len(rest) // 2 + 1 :])
    prefixed = re.fullmatch(r"[a-z]/(.*)", name)
    return prefixed[1] if prefixed else name


def _unquoted(text: bytes) -> str:
    """A path as git writes it: in quotes with escapes where it has odd characters."""
    if text.startswith(b'"') and text.endswith(b'"'):
        text = _ESCAPE.sub(_escaped, text[1:-1])
    return text.decode("utf-8", "replace")


def _escaped(match: re.Match[bytes]) -> bytes:
    octal = match[1]
    return bytes([int(octal, 8)]) if octal else _LETTERS[match[2]]


def _is_spec(name: str) -> bool:
    """Whether the attributes say that the path is explained."""
    try:
        top = git("rev-parse", "--show-toplevel", why="").decode().rstrip("\n")
        told = git("-C", top, "check-attr", "-z", "diff", "--", name, why="")
    except SideError:
        return False
    return told.split(b"\0")[2:3] == [DRIVER.encode()]


def _blob(mark: bytes) -> bytes | None:
    """The text of an object; none for a side that has no such file, or one too large."""
    try:
        return blob(mark.decode(), MAX_BYTES) if mark.strip(b"0") else None
    except GitError:
        return None


def user_pager() -> str:
    """The pager that the user has chosen, in git's order; what a repository names is not run."""
    try:
        told = (
            run_git("config", "--show-scope", "--get-all", "-z", "core.pager").decode().split("\0")
        )
    except GitError:
        told = []
    values = [value for scope, value in zip(told[::2], told[1::2], strict=False) if scope in _OWN]
    chosen = (os.environ.get("GIT_PAGER"), *values[-1:], os.environ.get("PAGER"), "less")
    return next(one for one in chosen if one is not None) or "cat"


def pager_command() -> str | None:
    """The value of `pager.show` that this repository has of its own."""
    try:
        return run_git("config", "--local", "--get", "pager.show").decode().rstrip("\n")
    except GitError:
        return None
