# SPDX-License-Identifier: GPL-2.0-or-later
"""pvgen as a diff driver of git: set up in a repository's own configuration, and removed again.

`git diff` calls an external diff, which prints the semantic diff and then the textual one. So do
`git show` and `git log`, if `--ext-diff` is given; without it, what `git show` pages goes through
`gen.diff.pager`.
"""

from __future__ import annotations

import difflib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gen.diagnostics import format_text
from gen.diff.compare import compare
from gen.diff.pager import DRIVER, pager_command
from gen.diff.records import Side
from gen.diff.report import as_text
from gen.diff.sides import SideError, git, read_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LINES = ("spec/*.yaml diff=pvgen",)
_LINK = "120000"
_PLAIN = {"git-diff": 'git diff --no-index --no-ext-diff "$2" "$5" || :', "git-pager": "cat"}
_OUTSIDE = "this is no git work tree, so there is nothing to set up"
_FAILED = "git could not change its configuration"


def _attributes() -> Path:
    path = git("rev-parse", "--git-path", "info/attributes", why=_OUTSIDE)
    return Path(path.decode().rstrip("\n"))


def _command(name: str) -> str:
    """This very interpreter, however pvgen was found, and no module of where git is called.

    git calls it by a shell; where the interpreter is gone, it shows what git shows by itself.
    """
    python = shlex.quote(sys.executable)
    ours = f'{python} -P -m gen.cli {name} "$@"'
    return f"f() {{ if test -x {python}; then {ours}; else {_PLAIN[name]}; fi; }}; f"


def set_up() -> Iterator[str]:
    """Configure the driver; a second time changes nothing.

    Raises:
        SideError: outside of a work tree, or git fails.
        OSError: the attributes cannot be written.
    """
    path = _attributes()
    _set(f"diff.{DRIVER}.command", _command("git-diff"))
    yield f"  set diff.{DRIVER}.command"
    if pager_command() in {None, _command("git-pager")}:
        _set("pager.show", _command("git-pager"))
        yield "  set pager.show"
        shown = "git show"
    else:
        yield "  leave pager.show, which this repository has set"
        shown = "git show --ext-diff"
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    missing = [line for line in LINES if line not in old]
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*old, *missing]) + "\n", encoding="utf-8")
        yield f"  write {path}"
    yield f"git diff and {shown} explain changes of spec/*.yaml now; --undo takes it back"


def _set(key: str, value: str) -> None:
    git("config", "--local", key, value, why=_FAILED)


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
    if " git-pager " in (pager_command() or ""):
        git("config", "--local", "--unset", "pager.show", why=_FAILED)
        yield "  remove pager.show"
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
    modes = words[3], words[6]
    parts = [f"diff --git a/{old_name} b/{new_name}\n"]
    if old is not None and new is not None and _LINK not in modes:
        parts.append(semantic(old, new, old_name, new_name))
    parts += [*_modes(*modes), _textual(old, new, old_name, new_name)]
    return "".join(parts)


def _modes(old: str, new: str) -> Iterator[str]:
    """What git says of a file that comes, goes or has other rights; `.` is no file."""
    if old == ".":
        yield f"new file mode {new}\n"
    elif new == ".":
        yield f"deleted file mode {old}\n"
    elif old != new:
        yield from (f"old mode {old}\n", f"new mode {new}\n")


def _bytes(name: str) -> bytes | None:
    return None if name == "/dev/null" else Path(name).read_bytes()


def semantic(old: bytes, new: bytes, old_name: str, new_name: str) -> str:
    """The findings of two texts of a spec as lines that no patch has."""
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
