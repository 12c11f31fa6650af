# SPDX-License-Identifier: GPL-2.0-or-later
"""pvgen as a diff driver of git: set up in a repository's own configuration, and removed again.

`git diff` calls an external diff, which prints the semantic diff and then the textual one. `git
show` and `git log` call none unless `--ext-diff` is given, but they do call a textconv: that puts
what the contract amounts to above the text of each version, so that its changes come first.
"""

from __future__ import annotations

import difflib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gen.diagnostics import format_text
from gen.diff.compare import compare
from gen.diff.items import items
from gen.diff.records import Side
from gen.diff.report import as_text
from gen.diff.sides import SideError, git, read_spec
from gen.diff.witness import aliases, listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DRIVER = "pvgen"
LINES = ("spec/*.yaml diff=pvgen",)
_OUTSIDE = "this is no git work tree, so there is nothing to set up"
_FAILED = "git could not change its configuration"


def _attributes() -> Path:
    path = git("rev-parse", "--git-path", "info/attributes", why=_OUTSIDE)
    return Path(path.decode().rstrip("\n"))


def _command(name: str) -> str:
    """This very interpreter, however pvgen was found."""
    return f"{shlex.quote(sys.executable)} -m gen.cli {name}"


def set_up() -> Iterator[str]:
    """Configure the driver; a second time changes nothing.

    Raises:
        SideError: outside of a work tree, or git fails.
        OSError: the attributes cannot be written.
    """
    path = _attributes()
    for key, value in (("command", "git-diff"), ("textconv", "git-textconv")):
        git("config", "--local", f"diff.{DRIVER}.{key}", _command(value), why=_FAILED)
        yield f"  set diff.{DRIVER}.{key}"
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    missing = [line for line in LINES if line not in old]
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*old, *missing]) + "\n", encoding="utf-8")
        yield f"  write {path}"
    yield "git diff explains changes of spec/*.yaml now; --undo takes it back"


def remove() -> Iterator[str]:
    """Take back what `set_up` did; a second time changes nothing.

    Raises:
        SideError: outside of a work tree, or git fails.
        OSError: the attributes cannot be written.
    """
    path = _attributes()
    listed = git("config", "--local", "--list", "--name-only", why=_FAILED).decode().split("\n")
    if any(name.startswith(f"diff.{DRIVER}.") for name in listed):
        git("config", "--local", "--remove-section", f"diff.{DRIVER}", why=_FAILED)
        yield f"  remove diff.{DRIVER}"
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line for line in old if line not in LINES]
    if kept != old:
        path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        yield f"  write {path}"
    yield "git shows specs as any other text"


def external(words: Sequence[str]) -> str:
    """The diff of one file, by git's external diff protocol.

    git gives the path, and for each side a file, its hash and its mode; for a rename also the new
    path and a header; for an unmerged file the path alone. Never fails: git would stop there.
    """
    if len(words) < 7:  # noqa: PLR2004 (the protocol's number)
        return f"* Unmerged path {words[0] if words else ''}\n"
    old_name, new_name = words[0], (words[7] if len(words) > 7 else words[0])  # noqa: PLR2004 (as above)
    old, new = (_bytes(words[index]) for index in (1, 4))
    head = _semantic(old, new, old_name, new_name) if old is not None and new is not None else ""
    return f"diff --git a/{old_name} b/{new_name}\n{head}{_textual(old, new, old_name, new_name)}"


def _bytes(name: str) -> bytes | None:
    return None if name == "/dev/null" else Path(name).read_bytes()


def _semantic(old: bytes, new: bytes, old_name: str, new_name: str) -> str:
    try:
        before = Side(old_name, read_spec(old, old_name))
        after = Side(new_name, read_spec(new, new_name))
    except SideError as error:
        parts = [format_text(item) for item in error.diagnostics]
        text = "\n".join([*parts, f"{error}: only the textual diff is shown"])
    else:
        text = as_text(compare(before, after))
    # Not to be taken for a part of the patch below.
    return "".join(f"# {line}".rstrip() + "\n" for line in text.split("\n"))


def _textual(old: bytes | None, new: bytes | None, old_name: str, new_name: str) -> str:
    before, after = (
        (data or b"").decode("utf-8", "replace").splitlines(keepends=True) for data in (old, new)
    )
    left = f"a/{old_name}" if old is not None else "/dev/null"
    right = f"b/{new_name}" if new is not None else "/dev/null"
    lines = difflib.unified_diff(before, after, left, right)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def textconv(path: Path) -> str:
    """What a spec amounts to, a line for each fact, and its text; the text alone if it is bad."""
    data = path.read_bytes()
    text = data.decode("utf-8", "replace")
    try:
        device = read_spec(data, path.name)
    except SideError:
        return text
    parts = list(items(device))
    facts = [f"{item.path}.{key} = {fact.value!r}" for item in parts
             for key, fact in item.facts.items()]  # fmt: skip
    lines = [*aliases(parts), *listing(parts), *facts]
    return "".join(f"# {line}\n" for line in sorted(lines)) + "\n" + text
