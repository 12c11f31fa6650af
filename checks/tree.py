# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files of a path belong to the driver, and what each one is for.

A path is a directory in the layout that `pvgen gen` writes, a kernel tree or the part of one that
holds the driver, or a single file. Only files below the given paths are ever read, and of the
kernel tree around a driver's directory its documents and the header for user space.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from checks.belonging import included, parts
from gen.source import Source, Span, UnreadableSourceError, read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gen.model import Device

MAX_FILES = 64
ABI = "Documentation/ABI"
BINDINGS = "Documentation/devicetree/bindings"
BUILD = ("Kconfig", "Makefile", "Kbuild")
# What editors and patch(1) leave beside a file.
BACKUP = ("~", ".orig", ".rej")
# No file of a driver of this class is nearly as large.
MAX_BYTES = 256 << 10


class Role(enum.StrEnum):
    """What a file of a driver is for."""

    UNIT = "unit"
    HEADER = "header"
    UAPI = "uapi"
    KCONFIG = "kconfig"
    MAKEFILE = "makefile"
    ABI = "abi"
    BINDING = "binding"
    PARENT = "parent"


@dataclass(frozen=True)
class TreeFile:
    """A file of the driver; `path` is relative to the tree's root."""

    path: PurePosixPath
    role: Role
    source: Source

    @property
    def start(self) -> Span:
        """The first line: the anchor of what concerns the whole file."""
        return self.source.span(1, 1, len(self.source.line(1)))


@dataclass(frozen=True)
class Problem:
    """Something that could not be read or understood: a finding about the analysis itself."""

    rule: str
    message: str
    span: Span
    help: str | None = None


@dataclass(frozen=True)
class SourceTree:
    """The driver's files. `whole` says that a directory was given, so what it lacks is missing."""

    name: str
    files: tuple[TreeFile, ...]
    whole: bool
    problems: tuple[Problem, ...] = field(default=())

    def of(self, role: Role) -> tuple[TreeFile, ...]:
        """The files with this role."""
        return tuple(file for file in self.files if file.role is role)

    def resolve(self, header: str, includer: TreeFile) -> TreeFile | None:
        """The tree's file that `#include` of this name means, if it is one of the tree's."""
        beside = includer.path.parent / header
        wanted = PurePosixPath(header).parts
        ends = [wanted, ("uapi", *wanted)]
        for file in self.files:
            if file.path == beside:
                return file
        for file in self.files:
            if file.role in {Role.HEADER, Role.UAPI} and any(
                len(end) > 1 and file.path.parts[-len(end) :] == end for end in ends
            ):
                return file
        return None


def find_trees(paths: Iterable[Path], device: Device) -> tuple[SourceTree, ...]:
    """One tree for each directory, and one for all single files together."""
    trees, singles = [], []
    for path in paths:
        if path.is_dir():
            trees.append(_directory(path, device))
        else:
            singles.append(path)
    if singles:
        named = [(path, PurePosixPath(path.as_posix())) for path in singles]
        trees.append(_read("", named, device, whole=False))
    return tuple(trees)


def _directory(root: Path, device: Device) -> SourceTree:
    nowhere = Source(str(root), "").span(1, 1)
    found = members(root, device)
    tree = _read(str(root), found[:MAX_FILES], device, whole=True)
    if len(found) > MAX_FILES:
        # What was not read is not missing.
        problems = (*tree.problems, too_many(str(root), len(found)))
        tree = replace(tree, whole=False, problems=problems)
    if not tree.of(Role.UNIT):
        message = f"no C file of a {device.name} driver in this directory"
        help_ = "give the driver's directory, a kernel tree, or single files"
        problem = Problem("PARSE001", message, nowhere, help_)
        return replace(tree, problems=(*tree.problems, problem))
    return tree


def too_many(name: str, count: int) -> Problem:
    """That a driver has more files than are read."""
    message = f"cannot be read: {count} files of a driver, of which {MAX_FILES} are read"
    return Problem("PARSE001", message, Source(name, "").span(1, 1), "give single files")


def members(root: Path, device: Device) -> list[tuple[Path, PurePosixPath]]:
    """The driver's files of a directory, by their names alone, with their paths in the tree."""
    found: list[tuple[Path, PurePosixPath]] = []
    for home in _homes(root, device):
        inside = _of_driver(home, device)
        found += [(path, PurePosixPath(path.relative_to(root).as_posix())) for path in inside]
        if home != root and home.name == device.name:
            above = [home.parent / name for name in BUILD if (home.parent / name).is_file()]
            found += [(path, PurePosixPath(path.relative_to(root).as_posix())) for path in above]
    return [*found, *_headers(root, device), *_documents(root, device)]


def may_be_member(name: PurePosixPath, device: Device) -> bool:
    """Whether `members` of a directory, or of a kernel tree, looks where this file of it is."""
    match name.parent.parts:
        case () | ("drivers", _) | ("drivers", "platform", _):
            return True
        case ("Documentation", "ABI", _) | ("Documentation", "devicetree", "bindings", _):
            return device.name in name.name
        case (*above, own) if own == device.name:
            return may_be_member(PurePosixPath(*above, name.name), device)
    return name.as_posix().endswith(device.uapi.path)


def _headers(root: Path, device: Device) -> list[tuple[Path, PurePosixPath]]:
    """The header for user space: in the directory, else in the kernel tree around it."""
    tops = ("include/uapi", "uapi", "include")
    inside = [(root / top / device.uapi.path, PurePosixPath(top)) for top in tops]
    places = [(path, top) for path, top in inside if path.is_file()]
    if not places:
        around = kernel_tree(root)
        path = around / tops[0] / device.uapi.path if around else None
        places = [(path, PurePosixPath(tops[0]))] if path and path.is_file() else []
    return [(path, top / device.uapi.path) for path, top in places]


def _documents(root: Path, device: Device) -> list[tuple[Path, PurePosixPath]]:
    """The sysfs ABI and the binding: those in the directory, else in the kernel tree around it."""
    documents = []
    for kind in (ABI, BINDINGS):
        for top in (root, kernel_tree(root)):
            found = sorted(top.glob(f"{kind}/*/*{device.name}*")) if top else []
            places = [path for path in found if path.is_file() and not path.name.endswith(BACKUP)]
            if top and places:
                named = [PurePosixPath(path.relative_to(top).as_posix()) for path in places]
                documents += list(zip(places, named, strict=True))
                break
    return documents


def kernel_tree(part: Path) -> Path | None:
    """The root of the kernel tree, or of something laid out like one, that `part` is in."""
    absolute = part.resolve()
    above = [path for path in (absolute, *absolute.parents) if path.name == "drivers"]
    return above[0].parent if above else None


def _homes(root: Path, device: Device) -> list[Path]:
    """Where the driver lives: a directory of its own, or one that it shares."""
    name = device.name
    places = [root, *_sorted(root, "drivers/*"), *_sorted(root, "drivers/platform/*")]
    own = [place / name for place in places if _has_units(place / name, name)]
    if own:
        return own
    shared = [place for place in places if (place / f"{name}.c").is_file()]
    return shared or [root]


def _sorted(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if path.is_dir())


def _has_units(directory: Path, name: str) -> bool:
    return directory.is_dir() and any(directory.glob(f"{name}*.c"))


def _of_driver(home: Path, device: Device) -> Iterator[Path]:
    """The driver's files in a directory: those with one of its names, or all when none has."""
    names = (device.name, *(frontend.name for frontend in device.frontends))
    entries = sorted(home.iterdir()) if home.is_dir() else []
    code = [path for path in entries if path.suffix in {".c", ".h"} and _counts(path)]
    build = [path for path in entries if path.name in BUILD]
    own = parts((path for path in build if not path.name.startswith("Kconfig")), names)
    named = [path for path in code if path.name.startswith(names) or path.name in own]
    whole = any(path.suffix == ".c" for path in named)
    yield from (*named, *included(named, code)) if whole else code
    yield from build


def _counts(path: Path) -> bool:
    """What kbuild leaves behind is no source."""
    return not path.name.endswith((".mod.c", ".mod.h"))


def _role(path: PurePosixPath, device: Device) -> Role | None:
    if path.name in {"Makefile", "Kbuild"}:
        return Role.MAKEFILE
    if path.name.startswith("Kconfig"):
        return Role.KCONFIG
    if ABI in str(path.parent) or (not path.suffix and path.name.startswith("sysfs-")):
        return Role.ABI
    if path.suffix == ".h":
        wanted = PurePosixPath(device.uapi.path).parts
        above = path.parts[: -len(wanted)]
        below = path.parts[-len(wanted) :] == wanted
        public = below and (not above or above[-1] in {"uapi", "include"})
        return Role.UAPI if public else Role.HEADER
    # A binding is called after the first compatible string: vendor, comma, device.
    binding = path.suffix in {".yaml", ".txt"} and (
        BINDINGS in str(path.parent) or "," in path.stem
    )
    return Role.UNIT if path.suffix == ".c" else Role.BINDING if binding else None


def _top(path: Path, relative: PurePosixPath) -> Path:
    """The directory that a file of a tree may not be outside of."""
    parts = len(relative.parts)
    return path.parents[parts - 1] if parts <= len(path.parents) else path.parent


def _read(
    name: str, paths: list[tuple[Path, PurePosixPath]], device: Device, *, whole: bool
) -> SourceTree:
    files, problems = [], []
    homes = {relative.parent for _, relative in paths} if whole else set()
    for path, relative in paths:
        nowhere = Source(str(path), "").span(1, 1)
        role = _role(relative, device)
        if role in {Role.KCONFIG, Role.MAKEFILE} and relative.parent / device.name in homes:
            role = Role.PARENT
        if not path.exists() and not path.is_symlink():
            help_ = "'pvgen gen' renders the driver into out/"
            problems.append(Problem("PARSE001", "no such file or directory", nowhere, help_))
            continue
        if role is None:
            known = "a .c or .h file, a Kconfig, a Makefile, an ABI document or a binding"
            problems.append(Problem("PARSE001", f"not {known}", nowhere))
            continue
        try:
            within = _top(path, relative) if whole else None
            source = read_source(path, limit=MAX_BYTES, within=within)
        except UnreadableSourceError as error:
            problems.append(Problem("PARSE001", f"cannot be read: {error}", nowhere))
            continue
        if "\0" in source.text:
            message = "cannot be read: not text (it has NUL bytes)"
            problems.append(Problem("PARSE001", message, nowhere))
            continue
        files.append(TreeFile(relative, role, source))
    return SourceTree(name, tuple(files), whole, tuple(problems))
