# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches to mails: git itself makes them, in a scratch repository beside the tree.

The repository holds only the files that a series touches. Their contents and so their blob names
are the tree's own, which is all that `git am` looks at.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gen.backport.records import BackportError, Mail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gen.backport.records import Patch
    from gen.backport.tree import KernelTree


class Scratch:
    """A repository of its own in a directory; no configuration but git's defaults counts in it."""

    def __init__(self, directory: Path, author: str) -> None:
        self.directory = directory
        self._author = author
        self.run("init", "-q")

    def run(self, *words: str, text: str | None = None) -> str:
        """Run git here and return what it printed.

        Raises:
            BackportError: it failed.
        """
        name, _, mail = self._author.partition(" <")
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail.rstrip(">"),
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": mail.rstrip(">"),
        }
        if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
            environment |= dict.fromkeys(
                ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"{epoch} +0000"
            )
        try:
            done = subprocess.run(
                ["git", "-C", self.directory, *words],
                input=text,
                capture_output=True,
                encoding="utf-8",
                env=environment,
                check=False,
            )
        except FileNotFoundError:
            raise BackportError("git is not installed; mails are made with it") from None
        if done.returncode:
            raise BackportError(f"git {words[0]}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def commit(self, files: Mapping[str, str | None], message: str) -> None:
        """Write files, None for one that goes, and commit them."""
        for path, text in files.items():
            place = self.directory / path
            if text is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="")
        self.run("add", "--force", "--all")
        self.run("commit", "-q", "--allow-empty", "--cleanup=whitespace", "-F", "-", text=message)


def base_files(tree: KernelTree, patches: Sequence[Patch]) -> dict[str, str]:
    """The driver's files of the tree, and the others that the patches touch, as they are."""
    paths = dict.fromkeys([*tree.files, *(path for patch in patches for path in patch.files)])
    texts = {path: tree.text(path) for path in paths}
    return {path: text for path, text in texts.items() if text is not None}


def make_mails(
    tree: KernelTree, patches: Sequence[Patch], author: str, *, sign: bool, prefix: str = "PATCH"
) -> list[Mail]:
    """The mails of a series, which are then applied once to prove that they do.

    Args:
        tree: what they apply to.
        patches: oldest first.
        author: `Name <address>`.
        sign: whether the author signs them off.
        prefix: what stands in the brackets of the subjects.

    Raises:
        BackportError: git could not make them, or could not apply them.
    """
    base = base_files(tree, patches)
    with tempfile.TemporaryDirectory(prefix="pvgen-") as room:
        made = _repository(Path(room) / "made", base, author)
        for patch in patches:
            tail = f"\n\nSigned-off-by: {author}\n" if sign else "\n"
            made.commit(patch.files, f"{patch.subject}\n\n{patch.body}{tail}")
        out = Path(room) / "mails"
        made.run("format-patch", "-q", "-M", "--no-signature", f"--subject-prefix={prefix}",
                 "--abbrev=12", "-o", str(out), f"HEAD~{len(patches)}")  # fmt: skip
        names = sorted(out.iterdir())
        applied = _repository(Path(room) / "applied", base, author)
        applied.run("am", "-q", *map(str, names))
        trees = {one.run("rev-parse", "HEAD^{tree}") for one in (made, applied)}
        if len(trees) != 1:
            raise BackportError("the mails do not bring the tree to what was planned")
        return [Mail(path.name, path.read_text("utf-8")) for path in names]


def _repository(directory: Path, base: Mapping[str, str], author: str) -> Scratch:
    directory.mkdir()
    scratch = Scratch(directory, author)
    scratch.commit(base, "the tree as it is")
    return scratch
