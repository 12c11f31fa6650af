# SPDX-License-Identifier: GPL-2.0-or-later
"""What a change brings: the findings of the working tree that a git revision does not have.

The revision's files are taken out of git into a temporary directory and checked in the same way;
findings are compared by fingerprint.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from checks.rule import Verdict
from checks.settle import amend
from checks.tree import MAX_BYTES, kernel_tree, may_be_member, members
from gen.git import GitError, NoGitError, git
from gen.objects import write_out
from gen.room import scratch_room

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.run import Report
    from gen.model import Device


class SinceError(Exception):
    """The comparison is impossible; `status` is the exit status for that."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def _git(directory: Path, *arguments: str) -> bytes:
    """What git prints.

    Raises:
        SinceError: there is no git.
        GitError: git failed.
    """
    try:
        return git(*arguments, directory=directory)
    except NoGitError:
        raise SinceError("--since needs git, which is not installed", 3) from None


def _work_tree(path: Path) -> Path:
    directory = path if path.is_dir() else path.parent
    try:
        top = _git(directory, "rev-parse", "--show-toplevel")
    except GitError:
        raise SinceError(f"{path} is not in a git work tree, so there is no --since", 3) from None
    return Path(top.decode().rstrip("\n"))


@contextmanager
def old_paths(paths: Sequence[Path], revision: str, device: Device) -> Iterator[list[Path]]:
    """The same paths as the revision has them, in a temporary directory; those that it has.

    Raises:
        SinceError: a path is in no git work tree (status 3), or it has no such revision (2).
    """
    with scratch_room() as name:
        yield [
            old
            for number, path in enumerate(paths)
            if (old := _take_out(path, revision, device, name / str(number))).exists()
        ]


def _take_out(path: Path, revision: str, device: Device, place: Path) -> Path:
    top = _work_tree(path)
    try:
        # A word that begins with a dash would be an option.
        commit = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options",
                      f"{revision}^{{commit}}").decode().strip()  # fmt: skip
    except GitError:
        raise SinceError(f"{top} has no revision '{revision}'", 2) from None
    inside = PurePosixPath(path.resolve().relative_to(top.resolve()).as_posix())
    blobs = _blobs(_git(top, "ls-tree", "-r", "-z", commit))
    names = list(blobs)
    place.mkdir()
    wanted = [inside] if inside in names else _wanted(names, inside, place / "names", device)
    files = place / "files"
    write_out({name: blobs[name] for name in wanted}, files, MAX_BYTES, directory=top)
    return files / inside


def _wanted(
    names: list[PurePosixPath], inside: PurePosixPath, place: Path, device: Device
) -> list[PurePosixPath]:
    """The files that belong to the driver, among all those of the revision.

    They are found in the same way as in a work tree: empty files stand in for those that the
    search may come by.
    """
    around = kernel_tree(place / inside)
    inner = around is not None and around.is_relative_to(place.resolve())
    tree = PurePosixPath(around.relative_to(place.resolve())) if around and inner else inside
    for name in names:
        roots = {root for root in (inside, tree) if name.is_relative_to(root)}
        if any(may_be_member(name.relative_to(root), device) for root in roots):
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    found = members(place / inside, device)
    return [PurePosixPath(path.resolve().relative_to(place.resolve())) for path, _ in found]


def _blobs(listing: bytes) -> dict[PurePosixPath, str]:
    """The regular files of a revision by what git calls their contents."""
    blobs = {}
    for entry in listing.decode(errors="replace").split("\0"):
        head, _, name = entry.partition("\t")
        words = head.split(" ")
        if words[0].startswith("100") and ".." not in PurePosixPath(name).parts:
            blobs[PurePosixPath(name)] = words[2]
    return blobs


def only_new(report: Report, old: Report | None) -> Report:
    """The report without what the old one has, suppressed or not."""
    known = {one.fingerprint for one in old.known} if old else set()
    pairs = zip(report.findings, report.fingerprints, strict=True)
    left = [(item, mark) for item, mark in pairs if not mark or mark not in known]
    kept = {mark for _, mark in left}
    gone = len(report.findings) - len(left)
    counted = [one for one in report.known if one.fingerprint in kept]
    remarks = {item.rule for item, mark in left if not mark}
    judgements = amend(report.judgements, counted, f"{gone} findings are not new")
    return replace(
        report,
        findings=tuple(item for item, _ in left),
        fingerprints=tuple(mark for _, mark in left),
        judgements=tuple(
            replace(item, verdict=Verdict.FAIL) if item.rule.id in remarks else item
            for item in judgements
        ),
    )
