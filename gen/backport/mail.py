# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches to mails: git itself makes them, in a scratch repository."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.backport.records import BackportError, Delta, Mail
from gen.backport.scratch import repository
from gen.backport.upstream import changed_lines, hunk_lines
from gen.room import scratch_room
from gen.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gen.backport.records import Patch
    from gen.backport.scratch import Scratch
    from gen.backport.tree import KernelTree

COVER = "0000-cover-letter.txt"
_WIDTH = 72


@dataclass(frozen=True)
class Sender:
    """Who sends the mails, as `Name <address>`, and whether that person signs them off.

    `refer` says whether they are meant for a stable tree.
    """

    name: str
    sign: bool
    refer: bool = False


def base_files(tree: KernelTree, patches: Sequence[Patch]) -> dict[str, str]:
    """The driver's files of the tree, and the others that the patches touch, as they are."""
    paths = dict.fromkeys([*tree.files, *(path for patch in patches for path in patch.files)])
    texts = {path: tree.text(path) for path in paths}
    return {path: text for path, text in texts.items() if text is not None}


@dataclass(frozen=True)
class Series:
    """The patches as commits of a scratch repository, and the diff of each."""

    scratch: Scratch
    base: Mapping[str, str]
    patches: Sequence[Patch]
    diffs: tuple[str, ...]

    def mails(self, prefix: str, cover: str | None) -> list[Mail]:
        """The mails, which are then applied once to prove that they do.

        Args:
            prefix: what stands in the brackets of the subjects.
            cover: subject and text of a cover letter, if there is to be one.

        Raises:
            BackportError: git could not make them, or could not apply them.
        """
        made, out = self.scratch, self.scratch.directory.with_name("mails")
        words = ["-q", "-M", "--no-signature", f"--subject-prefix={prefix}", "--abbrev=12",
                 f"--from={made.person}"]  # fmt: skip
        if cover is not None:
            made.run("config", "branch.series.description", cover)
            words += ["--cover-letter", "--cover-from-description=subject"]
        made.run("format-patch", *words, "-o", str(out), f"HEAD~{len(self.patches)}")
        names = [path for path in sorted(out.iterdir()) if not path.name.startswith("0000-")]
        applied = repository(made.directory.with_name("applied"), self.base)
        applied.run("am", "-q", *map(str, names))
        trees = {one.run("rev-parse", "HEAD^{tree}") for one in (made, applied)}
        # A line of a message can mean something to git am: another author, or where a patch begins.
        told = {one.run("log", "--format=%an%x00%ae%x00%B%x00", f"-{len(self.patches)}")
                for one in (made, applied)}  # fmt: skip
        if len(trees) != 1 or len(told) != 1:
            raise BackportError("the mails do not bring the tree to what was planned")
        # git am would stumble over a letter without a patch that is called one.
        return [Mail(COVER if path.name.startswith("0000-") else path.name, path.read_text("utf-8"))
                for path in sorted(out.iterdir())]  # fmt: skip


@contextmanager
def commit_series(tree: KernelTree, patches: Sequence[Patch], sender: Sender) -> Iterator[Series]:
    """A series in a repository that lasts as long as the context.

    Raises:
        BackportError: git could not make it.
    """
    base = base_files(tree, patches)
    with scratch_room() as room:
        made = repository(room / "made", base, sender.name)
        diffs = []
        for patch in patches:
            made.commit(patch.files, _message(made, patch, sender), _author(patch))
            diffs.append(made.run("diff", "-M", "HEAD~", "HEAD"))
        yield Series(made, base, patches, tuple(diffs))


def is_whole(commit: str | None) -> bool:
    """Whether all digits of a commit's name are known."""
    return commit is not None and len(commit) == 40  # noqa: PLR2004 (the digits of a SHA-1)


def _author(patch: Patch) -> dict[str, str]:
    """Who wrote mainline's commit, and when."""
    if patch.upstream is None:
        return {}
    name, _, mail = patch.upstream.author.partition(" <")
    return {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail.rstrip(">"),
            "GIT_AUTHOR_DATE": patch.upstream.date}  # fmt: skip


def _message(scratch: Scratch, patch: Patch, sender: Sender) -> str:
    """The message of a commit: mainline's own where it is known, as stable trees want it."""
    known = patch.upstream
    parts = [known.subject if known else patch.subject, ""]
    if known and is_whole(patch.commit):
        parts += [f"commit {patch.commit} upstream.", ""]
    parts += [known.body if known else patch.body, ""]
    if not known and patch.commit:
        parts += [*wrap(_based_on(patch), _WIDTH), ""]
    parts += known.trailers if known else ()
    if patch.note:
        name = sender.name.partition(" <")[0]
        parts += wrap(f"[ {name}: {patch.note} ]", _WIDTH, hanging="  ")
    message = re.sub(r"\n{3,}", "\n\n", "\n".join(parts).rstrip() + "\n")
    if not sender.sign:
        return message
    trailer = f"Signed-off-by: {sender.name}"
    if not known and not patch.note:
        return scratch.run("interpret-trailers", "--trailer", trailer, text=message)
    # A note between the trailers would make git start another block of them.
    return message + ("" if known or patch.note else "\n") + trailer + "\n"


def _based_on(patch: Patch) -> str:
    """Which commit of mainline makes the change that this code is the backporter's own for."""
    said = f' ("{patch.basis.subject}")' if patch.basis else ""
    return f"Based on mainline commit {(patch.commit or '')[:12]}{said}."


def compare(ours: str, theirs: str) -> Delta:
    """How a patch's lines differ from mainline's."""
    if hunk_lines(ours) == hunk_lines(theirs):
        return Delta.IDENTICAL
    return Delta.CONTEXT if changed_lines(ours) == changed_lines(theirs) else Delta.ADAPTED
