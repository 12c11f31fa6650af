# SPDX-License-Identifier: GPL-2.0-or-later
"""Running something apart: in namespaces that end with it, with files that go in and out as tar."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from pathlib import PurePath
from typing import TYPE_CHECKING

from gen.lab.process import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def bound() -> list[str]:
    """A prefix with which a command ends when the one that started it does."""
    return ["setpriv", "--pdeathsig", "KILL", "--"]


def private() -> list[str]:
    """A prefix for a command whose mounts and processes nobody else has, and that end with it."""
    return [*bound(), "unshare", "--mount", "--pid", "--fork", "--kill-child"]


def namespace() -> list[str]:
    """The same, and as root of a user namespace for who is not root."""
    user = [] if os.geteuid() == 0 else ["--map-root-user", "--map-auto"]
    return [*private(), *user]


def remove(directory: Path) -> None:
    """Remove a root that is not finished; its files may belong to a user namespace's users."""
    if not directory.exists():
        return
    if os.geteuid() == 0:
        shutil.rmtree(directory)
    else:
        run([*namespace(), "rm", "-rf", "--one-file-system", directory])


def packed(files: Mapping[str, str]) -> bytes:
    """The texts by path, as a tar file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def unpack(data: bytes, directory: Path) -> None:
    """Put the plain files of a tar file into a directory, by their names alone.

    Python 3.11.2, which Debian 12 has, knows no safe extractall() yet.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            if file is not None:
                (directory / PurePath(entry.name).name).write_bytes(file.read())
