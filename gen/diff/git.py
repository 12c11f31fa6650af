# SPDX-License-Identifier: GPL-2.0-or-later
"""pvgen as a diff driver of git: set up in a repository's own configuration, and removed again.

`git diff` calls an external diff, which prints the semantic diff and then the textual one. So do
`git show` and `git log`, if `--ext-diff` is given; without it, what `git show` pages goes through
`gen.diff.pager`.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gen.diagnostics import format_text
from gen.diff.compare import compare
from gen.diff.pager import DRIVER, pager_command
from gen.diff.patch import LINK, NOTHING, patch
from gen.diff.records import Side
from gen.diff.report import as_text
from gen.diff.sides import SideError, git, read_spec
from gen.output import write_file
from gen.source import UnreadableSourceError, read_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LINES = ("spec/*.yaml diff=pvgen",)
_PLAIN = {"git-diff": 'git diff --no-index --no-ext-diff "$2" "$5" || :', "git-pager": "cat"}
_OUTSIDE = "this is no git work tree, so there is nothing to set up"
_FAILED = "git could not change its configuration"


def _attributes() -> Path:
    path = git("rev-parse", "--git-path", "info/attributes", why=_OUTSIDE)
    return Path(path.decode().rstrip("\n"))


def _lines(path: Path) -> list[str]:
    """The lines of the repository's attributes; it may be a stranger's."""
    if path.is_symlink():
        raise SideError(f"{path}: is a symbolic link, which is not followed", 2)
    if not path.exists():
        return []
    try:
        text = read_source(path).text
    except UnreadableSourceError as error:
        raise SideError(f"{path}: {error}", 2) from None
    return text.removesuffix("\n").split("\n") if text else []


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
        SideError: outside of a work tree, git fails, or its attributes cannot be read.
        OSError: the attributes cannot be written.
    """
    path = _attributes()
    old = _lines(path)
    _set(f"diff.{DRIVER}.command", _command("git-diff"))
    yield f"  set diff.{DRIVER}.command"
    if pager_command() in {None, _command("git-pager")}:
        _set("pager.show", _command("git-pager"))
        yield "  set pager.show"
        shown = "git show"
    else:
        yield "  leave pager.show, which this repository has set"
        shown = "git show --ext-diff"
    missing = [line for line in LINES if line not in old]
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, "\n".join([*old, *missing]) + "\n")
        yield f"  write {path}"
    yield f"git diff and {shown} explain changes of spec/*.yaml now; --undo takes it back"


def _set(key: str, value: str) -> None:
    git("config", "--local", key, value, why=_FAILED)


def remove() -> Iterator[str]:
    """Take back what `set_up` did; a second time changes nothing.

    Raises:
        SideError: outside of a work tree, git fails, or its attributes cannot be read.
        OSError: the attributes cannot be written.
    """
    path = _attributes()
    old = _lines(path)
    listed = git("config", "--local", "--list", "--name-only", why=_FAILED).decode().split("\n")
    if any(name.startswith(f"diff.{DRIVER}.") for name in listed):
        git("config", "--local", "--remove-section", f"diff.{DRIVER}", why=_FAILED)
        yield f"  remove diff.{DRIVER}"
    if " git-pager " in (pager_command() or ""):
        git("config", "--local", "--unset", "pager.show", why=_FAILED)
        yield "  remove pager.show"
    kept = [line for line in old if line not in LINES]
    if kept != old and kept:
        write_file(path, "".join(f"{line}\n" for line in kept))
        yield f"  write {path}"
    elif kept != old:
        path.unlink()
        yield f"  remove {path}"
    yield "git shows specs as any other text"


def external(words: Sequence[str]) -> bytes:
    """The diff of one file, by git's external diff protocol: findings, then git's own patch.

    git gives the path, and for each side a file, its hash and its mode; for a rename also the new
    path and a header; for an unmerged file the path alone. Never fails: git would stop there.
    """
    if len(words) < 7:  # noqa: PLR2004 (the protocol's number)
        return f"* Unmerged path {words[0] if words else ''}\n".encode()
    names = words[0], (words[7] if len(words) > 7 else words[0])  # noqa: PLR2004 (as above)
    header = words[8] if len(words) > 8 else ""  # noqa: PLR2004 (as above)
    modes = words[3], words[6]
    old, new = (_bytes(words[index], mode) for index, mode in zip((1, 4), modes, strict=True))
    told = ""
    if old is not None and new is not None and LINK not in modes and old != new:
        told = semantic(old, new, *names)
    if len({mode[:3] for mode in modes} - {NOTHING}) > 1:
        # A link instead of a file: one goes and the other comes.
        gone, come = (modes[0], NOTHING), (NOTHING, modes[1])
        return patch((old, None), names, gone, "") + patch((None, new), names, come, "")
    return told.encode(errors="surrogateescape") + patch((old, new), names, modes, header)


def _bytes(name: str, mode: str) -> bytes | None:
    if name == "/dev/null":
        return None
    # On the disk, what git compares of a link is what it points to.
    path = Path(name)
    return os.fsencode(path.readlink()) if mode == LINK and path.is_symlink() else path.read_bytes()


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
    # Not to be taken for a part of the patch below: whatever applies one passes over these lines.
    return "".join(f"# {line}".rstrip() + "\n" for line in text.split("\n"))
