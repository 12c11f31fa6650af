# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree of kernel headers: where its headers are, its release, and what they declare.

No compiler is needed. A header is read as text: what stands outside of function bodies is taken
for its declarations, whatever the configuration, and those of the headers that it includes are
its own, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from gen.release import PointRelease

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# That of a tree which was configured for none.
ARCHITECTURE = "x86"
# Of a distribution's tree, the Makefile may only include that of the tree of all flavours.
_INCLUDE = re.compile(r"^include\s+(\S+)/Makefile\s*$", re.MULTILINE)
_NUMBER = r"^{}\s*=\s*([0-9]+)\s*$"
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*|\\\n", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)[ \t]*([^\n]*)", re.MULTILINE)
_INCLUDED = re.compile(r"[<\"]([\w./+-]+)[>\"]")
_POINTER = re.compile(
    r"\btypedef\s+(?P<result>[\w\s*]{1,200}?)\(\s*\*\s*(?P<name>\w+)\s*\)\s*"
    r"\((?P<arguments>[^()]*)\)\s*;"
)


class HeadersError(Exception):
    """A directory is no tree of kernel headers; the message says why."""


@dataclass(frozen=True)
class Declared:
    """What one header declares: macros and names in its own text, and what it includes."""

    macros: frozenset[str]
    names: frozenset[str]
    includes: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Headers:
    """The headers of a build tree or a source tree; `roots` are looked through in order."""

    directory: Path
    release: PointRelease
    roots: tuple[Path, ...]
    _read: dict[str, Declared | None] = field(default_factory=dict, repr=False, compare=False)
    _closures: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def architecture(self) -> str:
        """The architecture, as the kernel calls its directory: the one headers were made for."""
        made = self.roots[0].glob("arch/*/include/generated")
        found = sorted(path.parent.parent.name for path in made)
        return ARCHITECTURE if ARCHITECTURE in found or not found else found[0]

    @cached_property
    def places(self) -> tuple[Path, ...]:
        """Directories that hold headers by their names, in the order in which kbuild has them."""
        arch = f"arch/{self.architecture}/include"
        first = (arch, f"{arch}/generated", "include", f"{arch}/uapi", f"{arch}/generated/uapi")
        below = (*first, "include/uapi", "include/generated/uapi")
        return tuple(root / place for place in below for root in self.roots)

    def has(self, header: str) -> bool:
        """Whether there is such a header."""
        return self.find(header) is not None

    def find(self, header: str) -> Path | None:
        """The file of a header."""
        return next((p / header for p in self.places if (p / header).is_file()), None)

    def declares(self, header: str, name: str) -> bool:
        """Whether the header, or one that it includes, declares the name or defines it."""
        word = name.rpartition(" ")[2]
        return any(
            word in found.names or word in found.macros
            for found in map(self._declared, self._closure(header))
            if found
        )

    def body(self, struct: str) -> str | None:
        """The text between the braces of a struct such as `struct device`, without comments.

        Members whose type is a name for a function pointer are spelled out.
        """
        start = re.compile(rf"\b{struct}\s*\{{")
        for header in list(self._read):
            found = self._read[header]
            match = start.search(found.text) if found else None
            if found and match:
                return _spelled_out(_braced(found.text, match.end()), found.text)
        return None

    def _declared(self, header: str) -> Declared | None:
        if header not in self._read:
            path = self.find(header)
            self._read[header] = _declarations(path) if path else None
        return self._read[header]

    def _closure(self, header: str) -> frozenset[str]:
        if header not in self._closures:
            seen, todo = {header}, [header]
            while todo:
                current = todo.pop()
                found = self._declared(current)
                near = current.rpartition("/")[0]
                for name in found.includes if found else ():
                    beside = f"{near}/{name}"
                    chosen = beside if "/" not in name and self.find(beside) else name
                    if chosen not in seen:
                        seen.add(chosen)
                        todo.append(chosen)
            self._closures[header] = frozenset(seen)
        return self._closures[header]


def open_headers(directory: Path) -> Headers:
    """The headers of a build tree, a source tree, or an unpacked package of headers.

    Raises:
        HeadersError: it is none of these.
    """
    if not directory.is_dir():
        raise HeadersError(f"{directory}: there is no such directory")
    package = sorted(directory.glob("usr/src/linux-headers-*/include/config"))
    tree = package[0].parent.parent if package else directory
    common = _common(tree)
    roots = (tree,) if common is None else (tree, common)
    release = _release(roots)
    headers = Headers(directory, release, roots)
    if not headers.has("linux/module.h"):
        raise HeadersError(f"{directory}: there is no linux/module.h, so it is no kernel tree")
    return headers


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _common(tree: Path) -> Path | None:
    """Debian keeps the headers that all flavours share in a directory of their own."""
    match = _INCLUDE.search(_text(tree / "Makefile"))
    if match is None:
        return None
    # An unpacked package is not where its Makefile says; the other one is beside it.
    beside = tree.parent / match[1].rpartition("/")[2]
    named = tree / match[1]
    return next((path for path in (beside, named) if path.is_dir()), None)


def _release(roots: tuple[Path, ...]) -> PointRelease:
    for root in reversed(roots):
        text = _text(root / "Makefile")
        found = [
            re.search(_NUMBER.format(name), text, re.MULTILINE)
            for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL")
        ]
        numbers = [match[1] for match in found if match]
        if len(numbers) < len(found):
            continue
        try:
            return PointRelease.parse(".".join(numbers))
        except ValueError:
            break
    raise HeadersError(f"{roots[0]}: no kernel headers, as its Makefile tells no version")


def _declarations(path: Path) -> Declared:
    text = _COMMENT.sub(" ", _text(path))
    directives = list(_DIRECTIVE.finditer(text))
    macros = {
        word[0]
        for item in directives
        if item[1] == "define" and (word := re.match(r"\w+", item[2]))
    }
    included = (_INCLUDED.match(item[2]) for item in directives if item[1] == "include")
    plain = _DIRECTIVE.sub("", text)
    names = {name for chunk in _outside(plain) for name in re.findall(r"\w+", chunk)}
    includes = tuple(match[1] for match in included if match)
    return Declared(frozenset(macros), frozenset(names), includes, plain)


def _outside(text: str) -> Iterator[str]:
    """The text outside of function bodies; the braces of types and enums are no bodies."""
    depth, start, is_body = 0, 0, False
    for match in re.finditer(r"^\}|[{}]", text, re.MULTILINE):
        at = match.start()
        if match[0] == "{":
            if depth == 0:
                yield text[start:at]
                is_body = text[:at].rstrip()[-1:] == ")"
                start = match.end()
            depth += 1
            continue
        # A brace at the start of a line ends everything: conditional parts may open one twice.
        closing = at == 0 or text[at - 1] == "\n"
        depth = 0 if closing else max(0, depth - 1)
        if depth == 0:
            if not is_body:
                yield text[start:at]
            start, is_body = match.end(), False
    if depth == 0:
        yield text[start:]


def _braced(text: str, start: int) -> str:
    depth = 1
    for match in re.finditer(r"[{}]", text[start:]):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return text[start : start + match.start()]
    return text[start:]


def _spelled_out(body: str, header: str) -> str:
    """A struct's members with the names that its header gives to pointers to functions resolved."""
    for found in _POINTER.finditer(header):
        member = re.compile(rf"\b{found['name']}\s+(\w+)\s*;")
        body = member.sub(rf"{found['result']}(*\1)({found['arguments']});", body)
    return body
