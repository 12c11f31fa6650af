# SPDX-License-Identifier: GPL-2.0-or-later
"""Scratch repositories, away from the tree that a backport is for.

One holds only the files that a series touches. Their contents and so their blob names are the
tree's own, which is all that `git am` looks at.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from typing import TYPE_CHECKING

from gen.backport.records import BackportError
from gen.git import GitError, NoGitError, bare_environment, git
from gen.room import scratch_room

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NOBODY = "A <a@localhost>"
_LEAST = 1 << 16  # bytes; with less, a scratch repository fails for want of room
_EXAMPLE = "'A U Thor <author@example.org>'"


class Scratch:
    """A repository of its own in a directory; no configuration but git's defaults counts in it."""

    def __init__(self, directory: Path, person: str) -> None:
        self.directory = directory
        self.person = person
        directory.mkdir(exist_ok=True)
        self.run("init", "-q", "-b", "series", "--template=")

    def run(
        self, *words: str, text: str | None = None, more: Mapping[str, str] | None = None
    ) -> str:
        """Run git here and return what it printed; `more` is added to its environment.

        Raises:
            BackportError: it failed.
        """
        try:
            return self.attempt(*words, text=text, more=more)
        except GitError as error:
            full = os.strerror(errno.ENOSPC)
            # git has many words for it, and tells of its own files, which mean nothing to the user.
            if full in str(error) or shutil.disk_usage(self.directory).free < _LEAST:
                raise BackportError(f"{tempfile.gettempdir()}: {full}") from None
            told = "; ".join(str(error).splitlines()) or "it failed and says no more"
            raise BackportError(f"git {words[0]}: {told}") from None

    def attempt(
        self, *words: str, text: str | None = None, more: Mapping[str, str] | None = None
    ) -> str:
        """Run git here and return what it printed.

        Raises:
            BackportError: git is not installed.
            GitError: it failed.
        """
        name, _, mail = self.person.partition(" <")
        environment = bare_environment() | _date()
        for role in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": mail.rstrip(">")}
        data = (text or "").encode("utf-8", "surrogateescape")
        try:
            done = git(*words, directory=self.directory, text=data,
                       environment=environment | dict(more or {}))  # fmt: skip
        except NoGitError:
            raise BackportError("git is not installed; mails are made with it") from None
        return done.decode("utf-8", "surrogateescape")

    def commit(
        self, files: Mapping[str, str | None], message: str, more: Mapping[str, str] | None = None
    ) -> None:
        """Write files, None for one that goes, and commit them."""
        for path, text in files.items():
            place = self.directory / path
            if text is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="")
        self.run("add", "--force", "--all")
        self.run("commit", "-q", "--allow-empty", "--cleanup=whitespace", "-F", "-", text=message,
                 more=more)  # fmt: skip


def _date() -> dict[str, str]:
    """The dates of commits, where the environment fixes them."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return {}
    if not re.fullmatch("[0-9]{1,10}", epoch):
        raise BackportError(f"SOURCE_DATE_EPOCH is '{epoch}', and no number of seconds", 2)
    # Without the sign, git takes a small number for no date.
    return dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"@{epoch} +0000")


def repository(directory: Path, base: Mapping[str, str], person: str = _NOBODY) -> Scratch:
    """A repository with one commit of these files."""
    scratch = Scratch(directory, person)
    scratch.commit(base, "the tree as it is")
    return scratch


def check_author(author: str | None) -> str:
    """An author as git writes one.

    Raises:
        BackportError: it is none, or git would write another; the message says what is wrong.
    """
    if author is None:
        raise BackportError(f"with --tree, --author is needed, such as {_EXAMPLE}", 2)
    name, found, rest = author.partition(" <")
    address, end, after = rest.partition(">")
    wrong = {
        "has characters that no name or address has": not author.isprintable(),
        "has no address in angle brackets behind a name and a blank": not (found and end),
        "has something behind the address": bool(after),
        "has no name before the address": not name.strip(),
        f"has '{address}' as its address, which is not like author@example.org": (
            not re.fullmatch(r"[^<>\s@]+@[^<>\s@]+", address)
        ),
    }
    for what in (text for text, holds in wrong.items() if holds):
        raise BackportError(f"--author {author!r} {what}; give one such as {_EXAMPLE}", 2)
    with scratch_room() as room:
        scratch = Scratch(room / "person", author)
        try:
            told = scratch.attempt("var", "GIT_COMMITTER_IDENT")
        except GitError as error:
            raise BackportError(
                f"--author {author!r}: git refuses it: {str(error).removeprefix('fatal: ')}", 2
            ) from None
    written = f"{told.rpartition('>')[0]}>"
    if written != author:
        raise BackportError(
            f"--author {author!r}: git would write '{written}'; name one that it keeps", 2
        )
    return written


def apply_text(files: Mapping[str, str], diff: str) -> dict[str, str] | str:
    """The files with a diff applied without fuzz, or why it does not apply."""
    with scratch_room() as room:
        scratch = repository(room / "tree", files)
        try:
            scratch.attempt("apply", "--index", "-", text=diff)
        except GitError as error:
            lines = str(error).replace("error: ", "").splitlines()
            return lines[0].removeprefix("patch failed: ") if lines else "git says no more"
        names = scratch.run("diff", "--cached", "--name-only", "-z").split("\0")
        return {name: (scratch.directory / name).read_text("utf-8") for name in names if name}


def diff_of(before: Mapping[str, str], after: Mapping[str, str | None]) -> str:
    """What git says that changes."""
    with scratch_room() as room:
        scratch = repository(room / "tree", before)
        scratch.commit(after, "after")
        return scratch.run("diff", "HEAD~", "HEAD")
