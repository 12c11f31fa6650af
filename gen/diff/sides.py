# SPDX-License-Identifier: GPL-2.0-or-later
"""From the words of a command line to two devices: files, revisions, ranges and releases.

spec/acme.yaml      a file
HEAD~1              the spec as a git revision has it
HEAD~1:spec/a.yaml  a file of a revision
v1..v2              both sides at once
...@6.1             any of these, with only what the driver of Linux 6.1 had
linux-6.1@6.1       a directory: its driver's C, read with the interfaces of Linux 6.1
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.diagnostics import Diagnostics
from gen.diff.records import Side
from gen.load import MAX_BYTES, parse_device
from gen.model import PointRelease
from gen.model_restrict import NothingLeftError, restrict
from gen.source import Source, UnreadableSourceError, read_source
from gen.specs import GenerationError, default_spec, shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.diff.records import TreeSide
    from gen.model import Device

    # The words, the directory, and the series with whose interfaces its C is read, if one is named.
    ReadTree = Callable[[str, Path, str | None], TreeSide]

_AS_OF = re.compile(r"(?P<side>.*)@(?P<release>[0-9]+\.[0-9]+(?:\.[0-9]+)?)", re.DOTALL)
_CONFLICT = re.compile(r"^(<<<<<<<|>>>>>>>)(?: |$)", re.MULTILINE)


class SideError(Exception):
    """A side that cannot be had; `status` is the exit status, `diagnostics` what is wrong in it."""

    def __init__(self, message: str, status: int, diagnostics: Diagnostics | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.diagnostics = diagnostics or Diagnostics()


@dataclass(frozen=True)
class _Words:
    """What a side names: a text in a revision or, without one, on the disk; and a release."""

    label: str
    revision: str | None
    path: Path
    release: str | None


def split_range(sides: Sequence[str]) -> tuple[str, str]:
    """The two sides of a command line of none, one or two words.

    Raises:
        SideError: one word that is a file or directory, which cannot be compared with itself.
    """
    if len(sides) == 2:  # noqa: PLR2004 (both are given)
        return sides[0], sides[1]
    word = sides[0] if sides else "HEAD"
    if ".." in word and not Path(word).exists():
        old, _, new = word.replace("...", "..").partition("..")
        return old or "HEAD", new or "HEAD"
    if Path(word).exists():
        raise SideError(f"{word} is no revision: name what to compare it with", 2)
    return word, ""


def read_side(word: str, spec: Path | None, read_tree: ReadTree | None) -> Side | TreeSide:
    """The device that a word names, or what the C of a directory tells of one.

    Raises:
        SideError: as `read_spec_side`; or nothing can be read out of the C (status 3).
    """
    match = _AS_OF.fullmatch(word)
    named = match["side"] if match else word
    if read_tree is None or not named or not Path(named).is_dir():
        return read_spec_side(word, spec)
    return read_tree(word, Path(named), match["release"] if match else None)


def read_spec_side(word: str, spec: Path | None) -> Side:
    """The device that a word names; an empty one is the spec on the disk.

    Raises:
        SideError: there is no such revision or file (status 2), no git (3), or a bad spec (2).
    """
    words = _words(word, spec)
    device = read_spec(_text(words), words.label)
    if words.release is not None:
        try:
            device = restrict(device, PointRelease.parse(words.release))
        except (NothingLeftError, ValueError) as error:
            raise SideError(f"{word}: {error}", 2) from None
    return Side(word or words.label, device)


def _words(word: str, spec: Path | None) -> _Words:
    match = _AS_OF.fullmatch(word)
    release = match["release"] if match else None
    rest = match["side"] if match else word
    if rest and Path(rest).is_dir():
        raise SideError(f"{rest} is a directory; a side is a spec or a revision", 2)
    if rest and Path(rest).is_file():
        return _Words(rest, None, Path(rest), release)
    revision, colon, path = rest.partition(":")
    if not colon and rest.endswith((".yaml", ".yml")):
        raise SideError(f"{rest}: no such file", 2)
    try:
        place = Path(path) if path else Path(shown_name(spec or default_spec()))
    except GenerationError as error:
        raise SideError(str(error), 2) from None
    label = f"{revision}:{place}" if revision else str(place)
    return _Words(label, revision or None, place, release)


def _text(words: _Words) -> bytes:
    if words.revision is None:
        try:
            return read_source(words.path, limit=MAX_BYTES).text.encode()
        except UnreadableSourceError as error:
            raise SideError(f"{words.path}: {error}", 2) from None
    git("rev-parse", "--git-dir", why="this is no git work tree, so there are no revisions")
    git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{words.revision}^{{commit}}",
        why=f"there is no revision '{words.revision}'", status=2)  # fmt: skip
    path = words.path.as_posix()
    # A path of a revision counts from its top, as with git show; a shown one from here.
    for spelling in (f"{words.revision}:{path}", f"{words.revision}:./{path}"):
        try:
            return git("cat-file", "blob", spelling, why="", status=2)
        except SideError:
            continue
    raise SideError(f"revision '{words.revision}' has no file {path}", 2)


def git(*arguments: str, why: str, status: int = 3) -> bytes:
    """What git prints.

    Raises:
        SideError: it fails, with the sentence `why`; or there is no git.
    """
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise SideError("git is not installed, so there are no revisions", 3) from None
    except (subprocess.CalledProcessError, ValueError):
        raise SideError(why, status) from None


def read_spec(data: bytes, name: str) -> Device:
    """The device of a spec's bytes.

    Raises:
        SideError: it is no text or does not load; every error has its place.
    """
    diagnostics = Diagnostics()
    try:
        source = Source(name, data[: MAX_BYTES + 1].decode("utf-8"))
    except UnicodeDecodeError as error:
        nowhere = Source(name, "").span(1, 1)
        message = f"the spec cannot be read: not UTF-8 text (byte {error.start})"
        diagnostics.error("YAML006", message, nowhere)
        raise SideError(f"{name} does not load", 2, diagnostics) from None
    conflict = _CONFLICT.search(source.text)
    if conflict:
        place = source.place(conflict.start())
        span = source.span(place.line, 1, 7)
        diagnostics.error("YAML001", "a merge conflict is not resolved here", span)
        raise SideError(f"{name} does not load", 2, diagnostics)
    device = parse_device(source, diagnostics) if len(data) <= MAX_BYTES else None
    if device is None:
        what = "does not load" if diagnostics.items else f"is larger than {MAX_BYTES} bytes"
        raise SideError(f"{name} {what}", 2, diagnostics)
    return device
