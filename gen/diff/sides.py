# SPDX-License-Identifier: GPL-2.0-or-later
"""From the words of a command line to two devices: files, revisions, ranges and releases.

spec/acme.yaml      a file
HEAD~1              the spec as a git revision has it
HEAD~1:spec/a.yaml  a file of a revision
:                   the spec as it is staged; :spec/a.yaml is a staged file
v1..v2              both sides at once; v1...v2 begins where v2 left v1, as with git diff
...@6.1             any of these, with only what the driver of Linux 6.1 had
linux-6.1@6.1       a directory: its driver's C, read with the interfaces of Linux 6.1
HEAD~2:out          a directory of a revision
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen.conflict import MESSAGE as CONFLICT
from gen.conflict import conflict
from gen.diagnostics import Diagnostics
from gen.diff.checkout import directory
from gen.diff.choose import choose, known_release, specs
from gen.diff.records import Side
from gen.git import GitError, NoGitError
from gen.git import git as run_git
from gen.load import MAX_BYTES, parse_device
from gen.model_restrict import NothingLeftError, restrict
from gen.objects import blob
from gen.source import Source, UnreadableSourceError, decoded, read_source
from gen.specs import GenerationError, shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gen.diff.records import TreeSide
    from gen.model import Device

    # The words, the directory, on the disk or as git calls it, and the series with whose interfaces
    # its C is read, if one is named.
    ReadTree = Callable[[str, Path | str, str | None], TreeSide]

_AS_OF = re.compile(r"(?P<side>.*)@(?P<release>[0-9]+\.[0-9]+(?:\.[0-9]+)?)", re.DOTALL)
# In a path, two dots are the directory above.
_RANGE = re.compile(r"(?<![:/.])\.\.\.?(?![/.])")
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

    An empty revision is what is staged, None the disk. `names` are the ways to name the path to
    git; the first that there is counts.
    """

    label: str
    revision: str | None
    path: Path
    release: str | None
    names: tuple[str, ...] = ()


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
    if found := _RANGE.search(word):
        ends = word[: found.start()] or "HEAD", word[found.end() :] or "HEAD"
        return ends if found[0] == ".." else (_fork(*ends), ends[1])
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


def read_sides(
    words: tuple[str, str], spec: Path | None, read_tree: ReadTree | None
) -> tuple[Side | TreeSide, Side | TreeSide]:
    """The devices that two words name, or what the C of a directory tells of one.

    Where one side has several specs, that of the other side's path is meant.

    Raises:
        SideError: as `read_spec_side`; or nothing can be read out of the C (status 3).
    """
    old, new = words
    return (_read_side(old, spec, read_tree, new), _read_side(new, spec, read_tree, old))


def _read_side(
    word: str, spec: Path | None, read_tree: ReadTree | None, other: str
) -> Side | TreeSide:
    match = _AS_OF.fullmatch(word)
    named = match["side"] if match else word
    if named.endswith((".c", ".h")) and Path(named).is_file():
        raise SideError(f"{named} is C; name the directory of its driver", 2)
    release = match["release"] if match else None
    if read_tree is None or not named:
        return read_spec_side(word, spec, other)
    if Path(named).is_dir():
        return read_tree(word, Path(named), release)
    if not os.path.lexists(named) and (tree := directory(named)):
        return read_tree(word, tree, release)
    return read_spec_side(word, spec, other)


def read_spec_side(word: str, spec: Path | None, other: str = "") -> Side:
    """The device that a word names; an empty one is the spec on the disk.

    Args:
        word: what names it.
        spec: the path of the spec where the word has none; without it, the only one there.
        other: what names the other side, which tells of several specs the one that is meant.

    Raises:
        SideError: there is no such revision or file (status 2), no git (3), or a bad spec (2).
    """
    words = _words(word, spec, other)
    device = read_spec(_text(words), words.label)
    if words.release is not None:
        try:
            device = restrict(device, known_release(words.release))
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


def _words(word: str, spec: Path | None, other: str) -> _Words:
    match = _AS_OF.fullmatch(word)
    file, _, named = word.rpartition("@")
    # A directory or a spec has no revision's name, in which an @ may stand.
    meant = file.endswith((".yaml", ".yml")) or (file and Path(file).is_dir())
    if not match and meant and not os.path.lexists(word):
        raise SideError(f"{word}: '{named}' is no release; one looks like 6.1", 2)
    release = match["release"] if match else None
    rest = match["side"] if match else word
    if rest and Path(rest).is_dir():
        raise SideError(f"{rest} is a directory; a side is a spec or a revision", 2)
    if rest and os.path.lexists(rest) and not _is_revision(rest):
        return _Words(rest, None, Path(rest), release)
    named, colon, path = rest.partition(":")
    if not colon and rest.endswith((".yaml", ".yml")):
        raise SideError(f"{rest}: no such file", 2)
    revision = named if colon or named else None
    if revision:
        _check_revision(revision)
    elif revision is not None:
        git("rev-parse", "--git-dir", why=_OUTSIDE)
    # A path that is given counts from the top, as with git show; that of the disk from here.
    names: tuple[str, ...] = (path, f"./{path}")
    if not path:
        names = _chosen(revision, spec, other)
        path = Path(names[0]).as_posix()
    label = f"{revision}:{path}" if revision is not None else path
    return _Words(label, revision, Path(path), release, names)


def _chosen(revision: str | None, spec: Path | None, other: str) -> tuple[str, ...]:
    """The spec that is meant where no path is given: one of the revision, whatever the disk has."""
    try:
        if spec is None:
            name = choose(revision, _only(other))
            # A bare repository has no "here".
            return (name, name.removeprefix("./"))
        if revision is None:
            return (spec.as_posix(),)
        # As it is called from here, from the top, and one that has had another name then.
        here = Path(os.path.relpath(spec)).as_posix()
        once = specs(revision)
        names = (here if here.startswith("../") else f"./{here}", shown_name(spec))
        return (*names, *(once if len(once) == 1 else ()))
    except GenerationError as error:
        raise SideError(str(error), 2) from None
    except GitError as error:
        raise SideError(f"git cannot list the specs: {error}", 3) from None


def _only(word: str) -> str | None:
    """The path of a side's spec, if it is named or there is only one."""
    match = _AS_OF.fullmatch(word)
    rest = match["side"] if match else word
    revision, colon, path = rest.partition(":")
    if path:
        return path
    try:
        found = specs(revision if colon or revision else None)
    except GitError:
        return None  # which is told when that side is read
    return found[0] if len(found) == 1 else None


def _text(words: _Words) -> bytes:
    if words.revision is None:
        try:
            return read_source(words.path, limit=MAX_BYTES).text.encode()
        except UnreadableSourceError as error:
            raise SideError(f"{words.path}: {error}", 2) from None
    for name in words.names:
        try:
            data = blob(f"{words.revision}:{name}", MAX_BYTES)
        except GitError:
            continue
        if data is None:
            raise SideError(f"{words.label} is larger than {MAX_BYTES} bytes", 2)
        if b"\n" not in data and _is_link(words.revision, name):
            raise SideError(f"{words.label} is a symbolic link; name what it points to", 2)
        return data
    where = f"revision '{words.revision}' has" if words.revision else "what is staged has"
    raise SideError(f"{where} no file {words.path.as_posix()}", 2)


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
    except GitError as error:
        # That it does not trust whose work tree this is, for one.
        refused = str(error).startswith("fatal: detected dubious ownership")
        raise SideError(f"git refuses: {error}" if refused else why, status) from None


def read_spec(data: bytes, name: str) -> Device:
    """The device of a spec's bytes.

    Raises:
        SideError: it is no text or does not load; every error has its place.
    """
    diagnostics = Diagnostics()
    try:
        source = Source(name, decoded(data[: MAX_BYTES + 1]))
    except UnreadableSourceError as error:
        nowhere = Source(name, "").span(1, 1)
        diagnostics.error("YAML006", f"the spec cannot be read: {error}", nowhere)
        raise SideError(f"{name} does not load", 2, diagnostics) from None
    if mark := conflict(source):
        diagnostics.error("YAML001", CONFLICT, mark)
        raise SideError(f"{name} does not load", 2, diagnostics)
    device = parse_device(source, diagnostics) if len(data) <= MAX_BYTES else None
    if device is None:
        what = "does not load" if diagnostics.items else f"is larger than {MAX_BYTES} bytes"
        raise SideError(f"{name} {what}", 2, diagnostics)
    return device
