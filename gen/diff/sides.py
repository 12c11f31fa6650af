# SPDX-License-Identifier: GPL-2.0-or-later
"""From the words of a command line to two devices: files, revisions, ranges and releases.

spec/acme.yaml      a file
HEAD~1              the spec as a git revision has it
HEAD~1:spec/a.yaml  a file of a revision
:                   the spec as it is staged; :spec/a.yaml is a staged file
v1..v2              both sides at once; v1...v2 begins where v2 left v1, as with git diff
...@6.1             any of these, with only what the driver of Linux 6.1 had
linux-6.1@6.1       a directory: its driver's C, read with the interfaces of Linux 6.1
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.diagnostics import Diagnostics
from gen.diff.records import Side
from gen.git import GitError, NoGitError
from gen.git import git as run_git
from gen.load import MAX_BYTES, parse_device
from gen.model_restrict import NothingLeftError, restrict
from gen.release import PointRelease, Release
from gen.resources import kernel_directory
from gen.source import Source, UnreadableSourceError, read_source
from gen.specs import GenerationError, default_spec, shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.diff.records import TreeSide
    from gen.model import Device

    # The words, the directory, and the series with whose interfaces its C is read, if one is named.
    ReadTree = Callable[[str, Path, str | None], TreeSide]

_AS_OF = re.compile(r"(?P<side>.*)@(?P<release>[0-9]+\.[0-9]+(?:\.[0-9]+)?)", re.DOTALL)
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(?: |\r?$)", re.MULTILINE)
_OUTSIDE = "this is no git work tree, so there are no revisions"
# What git calls a symbolic link.
_LINK = b"120000 "


class SideError(Exception):
    """A side that cannot be had; `status` is the exit status, `diagnostics` what is wrong in it."""

    def __init__(self, message: str, status: int, diagnostics: Diagnostics | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.diagnostics = diagnostics or Diagnostics()


@dataclass(frozen=True)
class _Words:
    """What a side names: a text on the disk, or in a revision, and a release.

    An empty revision is what is staged, None the disk. Where no path is given, `found` says that
    it is that of the spec on the disk, which a revision may have elsewhere.
    """

    label: str
    revision: str | None
    path: Path
    release: str | None
    found: bool = False


def split_range(sides: Sequence[str]) -> tuple[str, str]:
    """The two sides of a command line of none, one or two words.

    Raises:
        SideError: an empty word; or one word that is a file or directory, which cannot be compared
            with itself; or revisions of a range that have nothing in common.
    """
    if "" in sides:
        raise SideError("an empty word names no side", 2)
    if len(sides) == 2:  # noqa: PLR2004 (both are given)
        return sides[0], sides[1]
    word = sides[0] if sides else "HEAD"
    if Path(word).exists() and not _is_revision(word):
        raise SideError(f"{word} is no revision: name what to compare it with", 2)
    for dots in ("...", ".."):
        old, found, new = word.partition(dots)
        if found:
            ends = old or "HEAD", new or "HEAD"
            return ends if dots == ".." else (_fork(*ends), ends[1])
    return word, ""


def _fork(old: str, new: str) -> str:
    """Where two revisions parted, with what follows the old one's name."""
    match = re.fullmatch(r"(?P<revision>[^:]*?)(?P<rest>(?:@[0-9.]+)?(?::.*)?)", old, re.DOTALL)
    revision, rest = (match["revision"], match["rest"]) if match else (old, "")
    other = re.split(r"@[0-9]+\.|:", new)[0]
    names = (revision or "HEAD", other or "HEAD")
    for name in names:
        _check_revision(name)
    why = f"{' and '.join(names)} have no commit in common"
    base = git("merge-base", "--end-of-options", *names, why=why, status=2)
    return base.decode().strip() + rest


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
            device = restrict(device, _known_release(words.release))
        except (NothingLeftError, ValueError) as error:
            raise SideError(f"{word}: {error}", 2) from None
    return Side(word or words.label, device, words.path.as_posix())


def _is_revision(word: str) -> bool:
    """Whether a file that is here is meant as a revision, such as HEAD in a bare repository."""
    if "/" in word or word.endswith((".yaml", ".yml")) or Path(word).is_dir():
        return False
    try:
        git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{word}^{{commit}}", why="")
    except SideError:
        return False
    return True


def _known_release(text: str) -> PointRelease:
    """A release that the facts about kernels reach; they are not loaded for this.

    Raises:
        ValueError: it is none, or a later one.
    """
    release = PointRelease.parse(text)
    names = (path.stem for path in kernel_directory().glob("[0-9]*.yaml"))
    newest = max(Release.parse(name) for name in names)
    if release.series > newest:
        raise ValueError(f"nothing is known of Linux {release}; the newest is {newest}")
    return release


def _words(word: str, spec: Path | None) -> _Words:
    match = _AS_OF.fullmatch(word)
    release = match["release"] if match else None
    rest = match["side"] if match else word
    if rest and Path(rest).is_dir():
        raise SideError(f"{rest} is a directory; a side is a spec or a revision", 2)
    if rest and os.path.lexists(rest) and not _is_revision(rest):
        return _Words(rest, None, Path(rest), release)
    revision, colon, path = rest.partition(":")
    if not colon and rest.endswith((".yaml", ".yml")):
        raise SideError(f"{rest}: no such file", 2)
    if not path:
        try:
            path = shown_name(spec or default_spec())
        except GenerationError as error:
            raise SideError(str(error), 2) from None
    label = f"{revision}:{path}" if colon or revision else path
    found = not rest.partition(":")[2]
    return _Words(label, revision if colon or revision else None, Path(path), release, found)


def _text(words: _Words) -> bytes:
    if words.revision is None:
        try:
            return read_source(words.path, limit=MAX_BYTES).text.encode()
        except UnreadableSourceError as error:
            raise SideError(f"{words.path}: {error}", 2) from None
    if words.revision:
        _check_revision(words.revision)
    else:
        git("rev-parse", "--git-dir", why=_OUTSIDE)
    path = words.path.as_posix()
    # A path that is given counts from the top, as with git show; that of the disk from here.
    names = (f"./{path}", path) if words.found else (path, f"./{path}")
    for name in (*names, *(_only_spec(words.revision) if words.found else ())):
        try:
            data = git("cat-file", "blob", f"{words.revision}:{name}", why="", status=2)
        except SideError:
            continue
        if b"\n" not in data and _is_link(words.revision, name):
            raise SideError(f"{words.label} is a symbolic link; name what it points to", 2)
        return data
    where = f"revision '{words.revision}' has" if words.revision else "what is staged has"
    raise SideError(f"{where} no file {path}", 2)


def _check_revision(revision: str) -> None:
    git("rev-parse", "--git-dir", why=_OUTSIDE)
    name = f"{revision}^{{commit}}"
    why = f"there is no revision '{revision}'"
    try:
        git("rev-parse", "--verify", "--quiet", "--end-of-options", name, why=why, status=2)
    except SideError:
        shallow = git("rev-parse", "--is-shallow-repository", why=why, status=2)
        if shallow.strip() == b"true":
            raise SideError(f"{why}; this clone is shallow: git fetch --unshallow", 2) from None
        raise


def _only_spec(revision: str) -> list[str]:
    """The one spec that a revision has in spec/, if the disk has it elsewhere, or none."""
    try:
        told = git("ls-tree", "-z", "--name-only", "--full-tree", revision, "spec/", why="")
    except SideError:
        return []
    specs = [name for name in told.decode(errors="replace").split("\0") if name.endswith(".yaml")]
    return specs if len(specs) == 1 else []


def _is_link(revision: str, name: str) -> bool:
    try:
        if not revision:
            return git("ls-files", "-s", "--", name, why="").startswith(_LINK)
        return git("ls-tree", revision, "--", name, why="").startswith(_LINK)
    except SideError:
        return False


def git(*arguments: str, why: str, status: int = 3) -> bytes:
    """What git prints.

    Raises:
        SideError: it fails, with the sentence `why`; or there is no git.
    """
    try:
        return run_git(*arguments)
    except NoGitError:
        raise SideError("git is not installed, so there are no revisions", 3) from None
    except GitError:
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
