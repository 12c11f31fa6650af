# SPDX-License-Identifier: GPL-2.0-or-later
"""Files out of git's store, written out as they were committed: no filter has a hand in it.

The store may be a stranger's. A tree object can hold any name, one that leads out of the directory
among them, and an object of a few bytes can be a file of gigabytes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gen.git import GitError, git

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

# No driver has more text in all its files.
_WHOLE = 64 << 20


def write_out(
    blobs: Mapping[PurePosixPath, str],
    into: Path,
    largest: int,
    *,
    links: Collection[PurePosixPath] = (),
    directory: Path | None = None,
) -> None:
    """Write files; a larger one becomes a hole of its size, which whoever reads it refuses.

    Args:
        blobs: what git calls the contents of each, by its path.
        into: the directory that all of them go into.
        largest: the size in bytes up to which a file is written.
        links: where there are links; what they lead to is nobody's business there.
        directory: the work tree, the current directory if none is given.

    Raises:
        GitError: an object is missing, a path is no place in the directory, two cannot be there
            at once, or they are too much.
    """
    for path in (*blobs, *links):
        if path.is_absolute() or ".." in path.parts:
            raise GitError(f"there is a file '{path}', which is no place in a tree")
    sizes = dict(zip(blobs, _sizes(list(blobs.values()), directory), strict=True))
    small = {path: blobs[path] for path, size in sizes.items() if size <= largest}
    if sum(sizes[path] for path in small) > _WHOLE:
        raise GitError(f"the files are more than {_WHOLE >> 20} MiB; name the driver's directory")
    try:
        for path in (*blobs, *links):
            (into / path).parent.mkdir(parents=True, exist_ok=True)
        for path in links:
            (into / path).symlink_to(os.devnull)
        for path, size in sizes.items():
            (into / path).touch(exist_ok=False)
            os.truncate(into / path, size)
        for path, data in zip(small, _contents(list(small.values()), directory), strict=True):
            (into / path).write_bytes(data)
    except OSError as error:
        raise GitError(f"the files cannot be written out: {error.strerror}") from None


def blob(name: str, largest: int) -> bytes | None:
    """The contents of one object; None where they are larger than so many bytes.

    Raises:
        GitError: there is no such object, or it is no file.
    """
    if int(git("cat-file", "-s", name)) > largest:
        return None
    return git("cat-file", "blob", name)


def _sizes(blobs: Sequence[str], directory: Path | None) -> Iterator[int]:
    """The size of each object.

    Raises:
        GitError: one is missing.
    """
    for line in _asked("--batch-check", blobs, directory).splitlines():
        words = line.split(b" ")
        if len(words) != 3:  # noqa: PLR2004 (else the object is missing)
            raise GitError(line.decode(errors="replace"))
        yield int(words[2])


def _contents(blobs: Sequence[str], directory: Path | None) -> Iterator[bytes]:
    data, at = _asked("--batch", blobs, directory), 0
    while at < len(data):
        start = data.index(b"\n", at) + 1
        at = start + int(data[at:start].split(b" ")[2]) + 1
        yield data[start : at - 1]


def _asked(how: str, blobs: Sequence[str], directory: Path | None) -> bytes:
    names = "".join(f"{blob}\n" for blob in blobs)
    return git("cat-file", how, directory=directory, text=names.encode())
