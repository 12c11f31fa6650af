# SPDX-License-Identifier: GPL-2.0-or-later
"""Which spec of a revision, of what is staged or of the disk is meant where no path is given."""

from __future__ import annotations

import re
from pathlib import Path

from gen.git import GitError
from gen.git import git as run_git
from gen.release import PointRelease, Release
from gen.resources import kernel_directory
from gen.specs import GenerationError, default_spec


def specs(revision: str | None) -> list[str]:
    """The specs in spec/ as git names them: of here (`./spec/…`), or else of the top.

    Those of the top are `spec/…` in a revision, and `../spec/…` on the disk.

    Args:
        revision: an empty one is what is staged, None the disk.

    Raises:
        GitError: git cannot list them.
    """
    if revision is None:
        return _on_disk("./") or _on_disk(_up())
    if revision:
        tree = ("ls-tree", "-z", "--name-only")
        words = (revision, "spec/")
        return _listed("./", *tree, *words) or _listed("", *tree, "--full-tree", *words)
    command = ("ls-files", "-z")
    top = ("--full-name", "--", ":(top)spec/")
    return _listed("./", *command, "--", "spec/") or _listed("", *command, *top)


def _on_disk(up: str) -> list[str]:
    return sorted(f"{up}spec/{path.name}" for path in Path(up, "spec").glob("*.yaml"))


def _up() -> str:
    """The way to the top of the work tree; to here outside of one."""
    try:
        return run_git("rev-parse", "--show-cdup").decode().strip() or "./"
    except GitError:
        return "./"


def _listed(prefix: str, *command: str) -> list[str]:
    told = run_git(*command).decode(errors="replace").split("\0")
    names = (name for name in told if name.endswith(".yaml") and name.count("/") == 1)
    return sorted({f"{prefix}{name}" for name in names})


def _bare(name: str) -> str:
    return re.sub(r"^(?:\.{1,2}/)+", "", name)


def choose(revision: str | None, like: str | None) -> str:
    """The spec of a revision, of what is staged or of the disk, as git names it.

    Args:
        revision: an empty one is what is staged, None the disk.
        like: the one that the other side has, which is taken of several.

    Raises:
        GenerationError: there are several, or none.
        GitError: git cannot list them.
    """
    found = specs(revision)
    if len(found) == 1:
        return found[0]
    same = [name for name in found if like and _bare(name) == _bare(like)]
    if same:
        return same[0]
    if revision is None:
        if like and not found:
            # The installation's own would be another device's, or of another time.
            raise GenerationError(f"there is no {_bare(like)} on the disk")
        return default_spec().as_posix()
    where = f"revision '{revision}'" if revision else "what is staged"
    if found:
        names = ", ".join(Path(name).name for name in found)
        raise GenerationError(f"{where} has several specs ({names}); choose one with --spec")
    raise GenerationError(f"{where} has no spec in spec/")


def known_release(text: str) -> PointRelease:
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
