# SPDX-License-Identifier: GPL-2.0-or-later
"""Rendered files on disk: compared, and written as one set.

A set is written beside the directory and put in its place by exchanging the two directories, one
system call, so that whatever happens there is the old set or the new one. What else lies in the
directory (kbuild's objects, somebody's notes) moves along as hard links, and a file whose text did
not change stays the same file, so that make does not rebuild for nothing. Where directories cannot
be exchanged (a mount point, a file system without the call, the directory that the caller stands
in), each file is replaced atomically but the set is not.
"""

from __future__ import annotations

import contextlib
import ctypes
import difflib
import fcntl
import glob
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Stands in the banner of every rendered file; no other file is ever replaced or removed.
MARKER = "Do not edit; change the spec and run"
# Names the files of a set, so that those of the next set that are missing there can go.
LIST = ".pvgen-files"
_MARKER_WITHIN = 1024
# No rendered file is nearly as large.
_LARGEST = 4 << 20
_STAGE = ".pvgen-"
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


class OutputError(Exception):
    """The directory cannot be written, or holds what is not ours; the message is for the user.

    `status` is the exit status that it stands for: 2 for a wrong place, 3 where writing failed.
    """

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Change:
    """A file that differs; `old` is None for a missing one, `new` for one that has to go."""

    path: str
    old: str | None
    new: str | None

    def diff(self) -> str:
        """The change as a unified diff."""
        old, new = ((text or "").splitlines(keepends=True) for text in (self.old, self.new))
        before = "/dev/null" if self.old is None else f"a/{self.path}"
        after = "/dev/null" if self.new is None else f"b/{self.path}"
        return "".join(difflib.unified_diff(list(old), list(new), before, after))


def compare(directory: Path, files: Mapping[str, str]) -> list[Change]:
    """How `directory` differs from the rendered `files`, by path.

    A file that is not rendered any more is one that the directory's own list names, that bears the
    marker and that is not among `files`; whatever else is there is somebody's.

    Raises:
        OutputError: a file that would be replaced was not rendered, or cannot be read.
    """
    changes = []
    try:
        for name, text in files.items():
            path = directory / name
            _refuse_links(directory, path)
            old = _read(path)
            if old is None and (path.exists() or path.is_symlink()):
                raise OutputError(f"{path} exists and was not rendered by pvgen; it is left alone")
            if old is not None and MARKER not in old[:_MARKER_WITHIN]:
                raise OutputError(f"{path} exists and was not rendered by pvgen; it is left alone")
            if old != text:
                changes.append(Change(name, old, text))
        for name in _listed(directory):
            _refuse_links(directory, directory / name)
            old = _read(directory / name) if name not in files else None
            if old is not None and MARKER in old[:_MARKER_WITHIN]:
                changes.append(Change(name, old, None))
    except OSError as error:
        raise _failure(error, directory) from None
    return sorted(changes, key=lambda change: change.path)


def write(directory: Path, files: Mapping[str, str], *, new: bool = False) -> list[Change]:
    """Make `directory` hold the rendered `files`; return what changed.

    Args:
        directory: where they go.
        files: their texts, by path.
        new: whether the directory has to be empty still, so that no two runs mix what they make.

    Raises:
        OutputError: as for `compare`, or the directory cannot be written. Nothing was changed then.
    """
    try:
        directory = directory.resolve()
        if directory.parent == directory:
            raise OutputError(f"{directory} is no place for rendered files")
        directory.parent.mkdir(parents=True, exist_ok=True)
        with alone(directory.parent):
            _clean(directory, files)
            if new and directory.is_dir() and any(directory.iterdir()):
                raise OutputError(f"{directory} is not empty any more: another run has written "
                                  "there meanwhile, and nothing is added to it")  # fmt: skip
            changes = compare(directory, files)
            if changes:
                _replace(directory, changes)
    except FileExistsError as error:
        raise OutputError(f"{error.filename}: not a directory") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
        raise _failure(error, directory) from None
    return changes


def write_file(path: Path, text: str) -> None:
    """Make one file hold a text: whatever happens, there is the old file or the new one.

    A link stays one, and so does what is no regular file, such as a pipe.

    Raises:
        OSError: it cannot be written; it is the old one then.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    with alone(path.parent):
        clear(path.parent, f".{path.name}{_STAGE}")
        fresh = path.with_name(f".{path.name}{_STAGE}{os.getpid()}")
        try:
            _put(fresh, text)
            if path.exists():
                fresh.chmod(path.stat().st_mode & 0o7777)
            fresh.replace(path)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from None
        finally:
            fresh.unlink(missing_ok=True)


def status_of(error: OSError) -> int:
    """The exit status for a file that cannot be written: 2 for a wrong place, 3 for a full disk."""
    wrong = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
    return 2 if isinstance(error, wrong) else 3


def _failure(error: OSError | RuntimeError, directory: Path) -> OutputError:
    """The message about a failed operation, without the names of temporary files."""
    if isinstance(error, shutil.Error):  # a list of what could not be copied, and why
        source, _, why = error.args[0][0]
        return OutputError(f"{source}: {why}", 3)
    if isinstance(error, RuntimeError):
        return OutputError(f"{directory}: {error}", 3)
    name = str(error.filename or directory)
    shown = directory if _STAGE in name else name
    return OutputError(f"{shown}: {error.strerror or error}", 3)


def _refuse_links(directory: Path, path: Path) -> None:
    """A symbolic link below the directory would lead the writing out of it."""
    for parent in path.relative_to(directory).parents:
        if (directory / parent).is_symlink() and directory / parent != directory:
            raise OutputError(f"{directory / parent} is a symbolic link; it is left alone")


def _listed(directory: Path) -> list[str]:
    """The files that the directory's list names, no path out of it among them."""
    text = _read(directory / LIST) or ""
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts]


def _read(path: Path) -> str | None:
    """The text of a regular file; None for anything else, or for what is no text."""
    if path.is_symlink() or not path.is_file():
        return None
    if path.stat().st_size > _LARGEST:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


@contextlib.contextmanager
def alone(parent: Path) -> Iterator[None]:
    """Keep other runs out; the kernel drops the lock when this process ends, however it ends."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def clear(parent: Path, prefix: str) -> None:
    """Remove what interrupted runs left under such names; with the lock held, nobody uses it."""
    for stale in parent.glob(f"{glob.escape(prefix)}*"):
        if stale.is_dir() and not stale.is_symlink():
            shutil.rmtree(stale)
        else:
            stale.unlink()


def _clean(directory: Path, files: Iterable[str]) -> None:
    """Remove what an interrupted run left of a set."""
    clear(directory.parent, f".{directory.name}{_STAGE}")
    for name in files:
        path = directory / name
        _refuse_links(directory, path)
        clear(path.parent, f".{path.name}{_STAGE}")


def _replace(directory: Path, changes: list[Change]) -> None:
    """Put a changed copy of the directory in its place."""
    if Path.cwd().is_relative_to(directory):
        # Exchanged, it would be gone from under the shell that asked for it.
        _replace_each(directory, changes)
        return
    try:
        stage = Path(tempfile.mkdtemp(prefix=f".{directory.name}{_STAGE}", dir=directory.parent))
    except PermissionError:
        _replace_each(directory, changes)
        return
    try:
        stage.chmod(directory.stat().st_mode & 0o7777 if directory.exists() else 0o755)
        if directory.exists():
            shutil.copytree(
                directory, stage, symlinks=True, dirs_exist_ok=True, copy_function=_link
            )
        _apply(stage, changes)
        if not directory.exists():
            stage.rename(directory)
        elif not _exchange(stage, directory):
            _replace_each(directory, changes)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _link(source: str, target: str) -> None:
    os.link(source, target, follow_symlinks=False)


def _apply(directory: Path, changes: list[Change]) -> None:
    """Write and remove files in a directory that nobody looks at yet."""
    for change in changes:
        path = directory / change.path
        path.unlink(missing_ok=True)
        if change.new is None:
            with contextlib.suppress(OSError):
                path.parent.rmdir()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(path, change.new)


def _put(path: Path, text: str) -> None:
    """Write a file, and have it on the disk, before it takes the place of another one."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace_each(directory: Path, changes: list[Change]) -> None:
    """Replace file by file, each atomically, once there is room for all of them."""
    fresh: list[tuple[Path, Path]] = []
    try:
        for change in changes:
            path = directory / change.path
            if change.new is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                place = path.with_name(f".{path.name}{_STAGE}{os.getpid()}")
                fresh.append((place, path))
                _put(place, change.new)
        for place, path in fresh:
            place.replace(path)
        for change in changes:
            if change.new is None:
                (directory / change.path).unlink(missing_ok=True)
    finally:
        for place, _ in fresh:
            place.unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two directories in one step; False where the system or its file system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    names = (os.fsencode(one), os.fsencode(other))
    result = libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    return bool(result == 0)
