# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files of a path are a driver of this class, without a spec that names them.

A driver is found by the hooks it asks for. Its files are those of the same directory that share
its name or its header. Links are not followed, so that nothing outside the given path is read.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from checks.makefile import read_makefile
from checks.tree import MAX_BYTES, MAX_FILES, Problem, Role, SourceTree, TreeFile, too_many
from gen.source import Source, UnreadableSourceError, read_source
from gen.wrap import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# In a kernel tree, only these directories are searched: the others are too many.
PLACES = ("drivers/misc", "drivers/platform", "drivers/virt", "include/uapi/misc",
          "include/uapi/linux")  # fmt: skip
MAX_ENTRIES = 20_000
_HOOKS = re.compile(r"\b(panic_notifier_list|register_sys_off_handler)\b")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]+)[>\"]", re.MULTILINE)
_MADE = (".mod.c", ".mod.h")
_BUILD = {"Kconfig": Role.KCONFIG, "Makefile": Role.MAKEFILE, "Kbuild": Role.MAKEFILE}
_MAKEFILES = [name for name, role in _BUILD.items() if role is Role.MAKEFILE]


class NoDriverError(Exception):
    """No driver, or more than one; the message says which."""


@dataclass(frozen=True)
class _File:
    path: Path
    relative: PurePosixPath


def find_driver(paths: Sequence[Path]) -> SourceTree:
    """The driver in a directory, or the one that single files are.

    Raises:
        NoDriverError: there is none, there are several, or the place is too large to search.
    """
    if len(paths) == 1 and paths[0].is_dir():
        return _in_directory(paths[0])
    for path in paths:
        if path.is_dir():
            raise NoDriverError(f"{path} is a directory; give one directory, or single files")
        if not path.exists():
            raise NoDriverError(f"{path}: no such file or directory")
    files = [_File(path, PurePosixPath(path.as_posix())) for path in paths]
    return _tree("", [(file, _role(file.relative)) for file in files])


def _in_directory(root: Path) -> SourceTree:
    files = list(_walk(root))
    texts = {file: _text(file) for file in files if file.path.suffix in {".c", ".h"}}
    seeds = [file for file, text in texts.items()
             if file.path.suffix == ".c" and _HOOKS.search(text)]  # fmt: skip
    groups = _groups(seeds, texts, [file for file in files if file.path.name in _MAKEFILES])
    if not groups:
        raise NoDriverError(f"{root}: no C file here that hears of panics or of power-off")
    if len(groups) > 1:
        names = listing([str(group[0].relative) for group in groups])
        raise NoDriverError(f"{root} has {len(groups)} drivers: {names}; give the files of one")
    units = groups[0]
    home = units[0].relative.parent
    chosen = [(file, Role.UNIT) for file in units]
    chosen += _headers(units, texts)
    chosen += [(file, _BUILD[file.path.name]) for file in files
               if file.path.name in _BUILD and file.relative.parent == home]  # fmt: skip
    wanted = {name for file in units for name in _INCLUDE.findall(texts[file])} | _BUILD.keys()
    unread = _unread(root / home, _stem(units[0]), wanted)
    if len(chosen) > MAX_FILES:
        unread.append(too_many(str(root), len(chosen)))
    return _tree(str(root), chosen[:MAX_FILES], unread)


def _unread(home: Path, stem: str, wanted: set[str]) -> list[Problem]:
    """What would belong to a driver in its directory, and is no file that is ever read."""
    found = []
    for path in sorted(home.iterdir()):
        source = path.suffix == ".c" and path.stem.replace("-", "_").startswith(stem)
        if not (source or path.name in wanted) or path.name.endswith(_MADE):
            continue
        if path.is_symlink() or not path.is_file():
            why = "a symbolic link, which is not followed" if path.is_symlink() else "no file"
            nowhere = Source(str(path), "").span(1, 1)
            found.append(Problem("PARSE001", f"cannot be read: it is {why}", nowhere))
    return found


def _walk(root: Path) -> Iterator[_File]:
    """The regular files of a directory, without following links.

    Raises:
        NoDriverError: there are too many.
    """
    whole = (root / "drivers").is_dir()
    tops = [root / place for place in PLACES] if whole else [root]
    real = os.path.realpath(root)
    # os.walk() follows no link but the one that it is given.
    tops = [top for top in tops if os.path.realpath(top) == str(Path(real, top.relative_to(root)))]
    seen = 0
    for top in tops:
        for directory, inside, names in os.walk(top):
            inside[:] = sorted(name for name in inside if not name.startswith("."))
            seen += len(names) + len(inside)
            if seen > MAX_ENTRIES:
                raise NoDriverError(f"{root} has more than {MAX_ENTRIES} files; give the driver's")
            for name in sorted(names):
                path = Path(directory) / name
                if not path.is_symlink() and path.is_file() and not name.endswith(_MADE):
                    yield _File(path, PurePosixPath(path.relative_to(root).as_posix()))


def _text(file: _File) -> str:
    """The text of a file; nothing where it is none, since a driver's file is told of later."""
    try:
        return read_source(file.path, limit=MAX_BYTES).text
    except UnreadableSourceError:
        return ""


def _stem(file: _File) -> str:
    return file.path.stem.replace("-", "_")


def _groups(
    seeds: list[_File], texts: dict[_File, str], makefiles: list[_File]
) -> list[list[_File]]:
    """The .c files of each driver, its core file first."""
    groups: list[list[_File]] = []
    for seed in sorted(seeds, key=lambda file: (len(_stem(file)), file.relative)):
        if any(seed in group for group in groups):
            continue
        own = {name for name in _INCLUDE.findall(texts[seed])
               if any(file.relative == seed.relative.parent / name for file in texts)}  # fmt: skip
        near = [file for file in texts
                if file.path.suffix == ".c" and file.relative.parent == seed.relative.parent
                and file is not seed]  # fmt: skip
        parts = _parts(seed, makefiles)
        mine = [
            file
            for file in near
            if _stem(file).startswith(_stem(seed))
            or own & set(_INCLUDE.findall(texts[file]))
            or file.path.stem in parts
        ]
        groups.append([seed, *mine])
    return groups


def _parts(seed: _File, makefiles: list[_File]) -> set[str]:
    """The stems of the files that the Makefile beside a file links with it."""
    near = [TreeFile(file.relative, Role.MAKEFILE, Source(str(file.path), _text(file)))
            for file in makefiles if file.relative.parent == seed.relative.parent]  # fmt: skip
    objects = read_makefile(tuple(near))[0] or ()
    wholes = {one.whole for one in objects if one.name == f"{seed.path.stem}.o"} - {None}
    return {one.name.removesuffix(".o") for one in objects if one.whole in wholes}


def _headers(units: list[_File], texts: dict[_File, str]) -> list[tuple[_File, Role]]:
    """The headers of the driver's own, and the one for user space."""
    found: dict[_File, Role] = {}
    todo = list(units)
    while todo:
        file = todo.pop()
        for name in _INCLUDE.findall(texts[file]):
            ends = (PurePosixPath(name).parts, ("uapi", *PurePosixPath(name).parts))
            for other in texts:
                beside = other.relative == file.relative.parent / name
                public = "uapi" in other.relative.parts and any(
                    other.relative.parts[-len(end) :] == end for end in ends
                )
                if other not in found and (beside or public):
                    found[other] = _role(other.relative)
                    todo.append(other)
    return list(found.items())


def _role(path: PurePosixPath) -> Role:
    if path.name.startswith("Kconfig") or path.name in _BUILD:
        return _BUILD.get(path.name, Role.KCONFIG)
    if path.suffix == ".h":
        return Role.UAPI if "uapi" in path.parts[:-1] else Role.HEADER
    return Role.UNIT


def _tree(
    name: str, chosen: list[tuple[_File, Role]], unread: Sequence[Problem] = ()
) -> SourceTree:
    files, problems = [], list(unread)
    for file, role in chosen:
        nowhere = Source(str(file.path), "").span(1, 1)
        try:
            source = read_source(file.path, limit=MAX_BYTES)
        except UnreadableSourceError as error:
            problems.append(Problem("PARSE001", f"cannot be read: {error}", nowhere))
            continue
        if "\0" in source.text:
            message = "cannot be read: not text (it has NUL bytes)"
            problems.append(Problem("PARSE001", message, nowhere))
            continue
        files.append(TreeFile(file.relative, role, source))
    return SourceTree(name, tuple(files), bool(name), tuple(problems))
