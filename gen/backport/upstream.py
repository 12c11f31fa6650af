# SPDX-License-Identifier: GPL-2.0-or-later
"""Mainline's commits, from a mail or out of a git tree; git itself reads both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gen.backport.records import BackportError, Upstream
from gen.git import GitError, NoGitError, bare_environment, git
from gen.room import scratch_room

if TYPE_CHECKING:
    from collections.abc import Mapping

_FROM = re.compile(r"\AFrom ([0-9a-f]{40}) ")
# How a mail of a stable tree says which commit it has.
_SAID = re.compile(
    r"\A\s*(?:commit ([0-9a-f]{40}) upstream\.?|\[ Upstream commit ([0-9a-f]{40}) \])\s*"
)
# A patch as git makes one where nothing is configured; the repository's own wishes do not count.
_PLAIN = ("--no-renames", "--no-ext-diff", "--no-textconv", "--no-attach", "--no-notes",
          "--no-cover-letter", "--no-signature", "--no-thread", "--no-signoff", "--no-from",
          "--src-prefix=a/", "--dst-prefix=b/", "-U3", "--inter-hunk-context=0")  # fmt: skip
_HUNK = re.compile(r"^@@ -[0-9]+(?:,([0-9]+))? \+[0-9]+(?:,([0-9]+))? @@")
_FILE = re.compile(r"^diff --git a/(\S+) b/\S+$|^\+\+\+ b/(\S+)", re.MULTILINE)


def read_upstream(name: str, tree: Path) -> Upstream:
    """A commit of mainline.

    Args:
        name: a file with a mail or what git format-patch printed, or a revision of the tree.
        tree: the kernel tree.

    Raises:
        BackportError: there is no such file or revision, or it holds no patch (status 2).
    """
    if Path(name).is_file():
        try:
            mail = Path(name).read_bytes()
        except OSError as error:
            raise BackportError(f"{name}: {error.strerror}", 2) from None
    elif (tree / ".git").exists() and re.fullmatch(r"[\w./~^-]+", name):
        words = ("format-patch", "-1", "--stdout", *_PLAIN, "--end-of-options", name)
        mail = _git(f"{name}: neither a file nor a commit", *words, directory=tree)
    else:
        raise BackportError(f"{name}: no such file, and the tree is no git tree with commits", 2)
    return _parse(name, mail)


def _parse(name: str, mail: bytes) -> Upstream:
    with scratch_room() as room:
        # A directory of no repository, so that none's configuration counts.
        alone = bare_environment() | {"GIT_CEILING_DIRECTORIES": str(room.parent)}
        told = _git(f"{name}: not a mail with a patch", "mailinfo", "message", "patch",
                    directory=room, text=mail, environment=alone)  # fmt: skip
        text, diff = ((room / path).read_text("utf-8", "replace") for path in ("message", "patch"))
        heads = dict(
            line.partition(": ")[::2] for line in told.decode("utf-8", "replace").splitlines()
        )
        if not {"Author", "Email", "Subject", "Date"} <= heads.keys() or not paths_of(diff):
            raise BackportError(f"{name}: not a mail with a patch", 2)
        match, said = _FROM.match(mail[:60].decode("ascii", "replace")), _SAID.match(text)
        commit = (said[1] or said[2]) if said else match[1] if match else None
        text = text[said.end() :] if said else text
        trailers = _git(name, "interpret-trailers", "--parse", directory=room,
                        text=f"x\n\n{text}".encode(), environment=alone)  # fmt: skip
    body, block = text.strip(), ""
    if trailers.strip():
        # What stands between the trailers, such as a note of who picked it up, belongs to them.
        body, _, block = body.rpartition("\n\n")
    author = f"{heads['Author']} <{heads['Email']}>"
    tags = tuple(block.splitlines())
    return Upstream(name, commit, author, heads["Date"], heads["Subject"], body, tags, diff)


def _git(
    what: str,
    *words: str,
    directory: Path,
    text: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints; `what` is the message where it fails."""
    try:
        return git(*words, directory=directory, text=text, environment=environment)
    except NoGitError:
        raise BackportError("git is not installed; mails are read with it") from None
    except GitError:
        raise BackportError(what, 2) from None


def paths_of(diff: str) -> set[str]:
    """The paths that a diff touches."""
    return {one or other for one, other in _FILE.findall(diff)}


def hunk_lines(diff: str) -> list[str]:
    """The lines of a diff's hunks, each with its first character; nothing around them."""
    found: list[str] = []
    old = new = 0
    for line in diff.splitlines():
        match = _HUNK.match(line)
        if old <= 0 and new <= 0:
            if match:
                old, new = (int(number) if number else 1 for number in match.groups())
            continue
        found.append(line or " ")
        old -= line[:1] != "+" and line[:1] != "\\"
        new -= line[:1] != "-" and line[:1] != "\\"
    return found


def changed_lines(diff: str) -> list[str]:
    """The lines that a diff takes away and adds."""
    return [line for line in hunk_lines(diff) if line[:1] in {"+", "-"}]
