# SPDX-License-Identifier: GPL-2.0-or-later
"""Initramfs archives in the "newc" form, which the kernel unpacks.

A writer of its own because the alternatives ask for more than the 40 lines below: the cpio tool
archives what is on disk, so that device nodes would need root, and what PyPI has are bindings to
libarchive, a library to install. The format is fixed in the kernel's
Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import gzip
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Entry:
    """One member: `mode` with its file type bits; `data` is the content, or a link's target."""

    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def directory(name: str) -> Entry:
    """A directory."""
    return Entry(name, stat.S_IFDIR | 0o755)


def regular(name: str, data: bytes, *, executable: bool = False) -> Entry:
    """A regular file."""
    return Entry(name, stat.S_IFREG | (0o755 if executable else 0o644), data)


def link(name: str, target: str) -> Entry:
    """A symbolic link."""
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def character(name: str, major: int, minor: int) -> Entry:
    """A character device node."""
    return Entry(name, stat.S_IFCHR | 0o600, device=(major, minor))


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _member(number: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    fields = (
        *(number, entry.mode, 0, 0, 1, 0, len(entry.data)),
        *(0, 0, *entry.device, len(name), 0),
    )
    header = "070701" + "".join(f"{value:08x}" for value in fields)
    return _pad(header.encode() + name) + _pad(entry.data)


def archive(entries: Iterable[Entry]) -> bytes:
    """The compressed archive; parents of a member must come before it."""
    members = [_member(number, entry) for number, entry in enumerate(entries, 1)]
    members.append(_member(0, Entry("TRAILER!!!", 0)))
    return gzip.compress(b"".join(members), compresslevel=1, mtime=0)
