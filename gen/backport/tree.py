# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel tree that a driver is brought to: which release it is, and where the driver lives.

The tree is only read, by its own files or through git, and never changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.backport.records import BackportError
from gen.csyntax import descend, parse
from gen.git import GitError, changed
from gen.release import PointRelease
from gen.source import UnreadableSourceError, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gen.model import Device

_VERSION = re.compile(r"^(VERSION|PATCHLEVEL|SUBLEVEL) *= *([0-9]+)$", re.MULTILINE)
_PARTS = ("VERSION", "PATCHLEVEL", "SUBLEVEL")


@dataclass(frozen=True)
class KernelTree:
    """A tree and the texts of the driver in it, by path in the tree.

    `parent` is the directory whose Kconfig and Makefile name the driver, `home` the driver's own
    directory below it; where `single` holds, the driver is one file in `parent`, without a home.
    """

    root: Path
    release: PointRelease
    parent: str
    home: str
    single: bool
    files: Mapping[str, str]

    def text(self, path: str) -> str | None:
        """The text of any file of the tree; None where there is none.

        Raises:
            BackportError: it is there and cannot be read.
        """
        return self.files[path] if path in self.files else _read(self.root, path)


def refuse_other_series(root: Path, series: str | None) -> None:
    """See that a tree is of a series, if one is named.

    Raises:
        BackportError: it is of another, or no kernel tree.
    """
    release = _release(root)
    if series is not None and str(release.series) != series:
        raise BackportError(f"{root}: is Linux {release}, not {series}", 2)


def open_tree(root: Path, device: Device) -> KernelTree:
    """Read what a backport needs of a tree.

    Raises:
        BackportError: no kernel tree, a dirty work tree, or a driver that is not whole.
    """
    release = _release(root)
    _refuse_dirty(root)
    parent, single = _place(root, device)
    home = f"{parent}/{device.name}"
    paths = [f"{parent}/{device.name}.c"] if single else _sources(root, home)
    paths += [f"{parent}/Kconfig", f"{parent}/Makefile", f"include/uapi/{device.uapi.path}"]
    files = {}
    for path in paths:
        text = _read(root, path)
        if text is None:
            raise BackportError(f"{root / path}: no such file; the source is not whole")
        if not text:
            raise BackportError(f"{root / path}: is empty; the source is not whole")
        if "\r" in text:
            line = text.count("\n", 0, text.index("\r")) + 1
            raise BackportError(f"{root / path}:{line}: has a carriage return, as where lines end "
                                "in CR LF; git am takes no mail for such a file")  # fmt: skip
        if not text.endswith("\n"):
            raise BackportError(f"{root / path}: ends within a line; the source is not whole")
        if path.endswith((".c", ".h")) and not _closed(text):
            raise BackportError(f"{root / path}: a brace is not closed; the source is not whole")
        files[path] = text
    if not single:
        _refuse_unhooked(root, home, files)
    return KernelTree(root, release, parent, home, single, files)


def _refuse_unhooked(root: Path, home: str, files: Mapping[str, str]) -> None:
    """A driver whose directory nothing leads to is never built."""
    parent, _, name = home.rpartition("/")
    for path, hook in (
        (f"{parent}/Kconfig", f"{home}/Kconfig"),
        (f"{parent}/Makefile", f"{name}/"),
    ):
        if not re.search(rf"(?<![\w/-]){re.escape(hook)}", files[path]):
            raise BackportError(f"{root / path}: does not name {hook}; the source is not whole")


def _closed(text: str) -> bool:
    """Whether braces match in a C text, whatever macros there are in it."""
    braces = [one.type for one in descend(parse(text).root_node, "{", "}") if not one.is_missing]
    return braces.count("{") == braces.count("}")


def _release(root: Path) -> PointRelease:
    """The release that the tree's Makefile states."""
    if not root.is_dir():
        raise BackportError(f"{root}: no such directory", 2)
    text = _read(root, "Makefile")
    if text is None:
        raise BackportError(f"{root}: not a kernel tree (it has no Makefile)", 2)
    found = dict(_VERSION.findall(text))
    if not all(part in found for part in _PARTS) or not (root / "drivers").is_dir():
        raise BackportError(f"{root}: not a kernel tree (its Makefile states no version)", 2)
    return PointRelease.parse(".".join(found[part] for part in _PARTS))


def _refuse_dirty(root: Path) -> None:
    """What is not committed would be mixed with the patches, or lost under them."""
    if not (root / ".git").exists():
        return
    try:
        first = changed(root)
    except GitError as error:
        raise BackportError(f"{root}: git cannot read this work tree: {error}") from None
    if first is not None:
        raise BackportError(f"{root}: the work tree has changes ({first}); commit them first", 2)


def _place(root: Path, device: Device) -> tuple[str, bool]:
    """The parent directory, and whether the driver is a single file in it."""
    name = device.name
    own = sorted(root.glob(f"drivers/**/{name}/{name}.c"))
    alone = [path for path in sorted(root.glob(f"drivers/**/{name}.c")) if path not in own]
    if len(own) + len(alone) != 1:
        found = ", ".join(str(path.relative_to(root)) for path in (*own, *alone))
        why = f"{name}.c is there more than once ({found})" if found else f"no {name}.c in drivers/"
        raise BackportError(f"{root}: {why}, so where the driver goes is not known")
    path = (own or alone)[0].relative_to(root)
    parent = path.parent.parent if own else path.parent
    return parent.as_posix(), not own


def _sources(root: Path, home: str) -> list[str]:
    """The sources of a driver's own directory; objects of a build are none."""
    names = sorted(path.name for path in (root / home).iterdir() if path.is_file())
    kept = [name for name in names
            if name in {"Kconfig", "Makefile"} or name.endswith((".c", ".h"))]  # fmt: skip
    return [f"{home}/{name}" for name in kept if not name.endswith(".mod.c")]


def _read(root: Path, path: str) -> str | None:
    place = root / path
    if not place.is_file():
        return None
    try:
        text = as_text(place.read_bytes())
    except UnreadableSourceError as error:
        raise BackportError(f"{place}: {error}") from None
    except OSError as error:
        raise BackportError(f"{place}: {error.strerror}") from None
    if "\0" in text:
        raise BackportError(f"{place}: has NUL bytes; the source is damaged")
    return text
