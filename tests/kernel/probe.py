# SPDX-License-Identifier: GPL-2.0-or-later
"""C that only compiles where a kernel is as the facts table says.

There is one file for each header, which includes that header alone, since that is what the table
promises. Each line of it belongs to one fact, so that a compiler's message names the wrong fact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen.api import Api
    from gen.kernel import Kernel

SAME = '_Static_assert(__builtin_types_compatible_p({}, {}), "type");'


@dataclass
class Probe:
    """A C file: its text by lines, and which fact each line is about."""

    name: str
    lines: list[str] = field(default_factory=list)
    facts: dict[int, str] = field(default_factory=dict)

    def add(self, fact: str, *lines: str) -> None:
        """Append lines that are about a fact."""
        for line in lines:
            self.lines.append(line)
            self.facts[len(self.lines)] = fact

    @property
    def text(self) -> str:
        """The file's text."""
        return "\n".join(self.lines) + "\n"


def probes(kernel: Kernel) -> list[Probe]:
    """All files for a series."""
    files = {"headers": Probe("headers")}
    for header, range_ in kernel.header_table.items():
        if kernel.release in range_:
            missing = [f"#if !__has_include(<{header}>)", f"#error no {header}", "#endif"]
            files["headers"].add(header, *missing)
    for number, api in enumerate(kernel):
        header = kernel.header(api.name)
        name = re.sub(r"\W", "_", header.removesuffix(".h"))
        if name not in files:
            files[name] = Probe(name)
            files[name].add(header, f"#include <{header}>")
        files[name].add(api.name, *_lines(api, number, kernel))
    return [*files.values(), *_brought(kernel)]


def _brought(kernel: Kernel) -> Iterator[Probe]:
    """For each header that brings others' declarations, a file with that header alone."""
    headers = {header for api in kernel for header in api.brought}
    for header in sorted(headers):
        name = re.sub(r"\W", "_", header)
        probe = Probe(f"brought_{name}")
        probe.add(header, f"#include <{header}>")
        for number, api in enumerate(kernel):
            if header in api.brought and kernel.release in api.brought[header]:
                probe.add(api.name, f"extern char brought_{number}[sizeof({api.name})];")
        yield probe


def discarding(kernel: Kernel) -> Probe:
    """A file that drops every result: the compiler warns of those that have to be looked at."""
    probe = Probe("discarding")
    headers = sorted({kernel.header(api.name) for api in kernel if _returns(api)})
    for header in headers:
        probe.add(header, f"#include <{header}>")
    for number, api in enumerate(kernel):
        if _returns(api):
            probe.add(api.name, _wrapper(api, f"drop_{number}", keep=False))
    return probe


def _returns(api: Api) -> bool:
    """Whether dropping the result of a call could be a mistake."""
    plain = api.kind == "function" and not api.arch and "..." not in api.parameters
    return plain and _result(api) != "void"


def _result(api: Api) -> str:
    """A function's return type as text."""
    return (api.prototype or "").split(f"{api.name}(", 1)[0].strip()


def _wrapper(api: Api, name: str, *, keep: bool) -> str:
    """A function that passes its arguments on."""
    prototype = (api.prototype or "").replace(f"{api.name}(", f"{name}(", 1)
    if not keep:
        prototype = "void " + prototype[prototype.index(f"{name}(") :]
    prototype = prototype.replace(", ...)", ")")
    names = [p for p in api.parameters if p not in {"...", "void"}]
    arguments = ", ".join('"x"' if p == "fmt" else p for p in names)
    back = "return " if keep and _result(api) != "void" else ""
    # Of a function that nothing uses, the compiler does not warn.
    storage = "static __maybe_unused " if keep else ""
    return f"{storage}{prototype} {{ {back}{api.name}({arguments}); }}"


def _lines(api: Api, number: int, kernel: Kernel) -> Iterator[str]:
    if api.kind in {"function", "macro"} and api.prototype:
        yield from _callable(api, number)
    elif api.kind == "macro":
        yield from (f"#ifndef {api.name}", f"#error no macro {api.name}", "#endif")
    elif api.kind == "constant":
        yield from _constant(api, number)
    elif api.kind == "type":
        yield from _type(api, number)
    elif api.kind == "variable":
        yield from _variable(api, number)
    elif api.kind in {"struct", "enum"}:
        yield from _struct(api, number, kernel)


def _callable(api: Api, number: int) -> Iterator[str]:
    """A function has the prototype's type; a macro accepts its arguments and gives its result."""
    if api.arch:
        yield f"#ifndef {api.name}"
        yield f"typedef typeof({api.name}) fact_{number};"
        yield "#endif"
        return
    copy = (api.prototype or "").replace(f"{api.name}(", f"fact_{number}(", 1)
    yield f"#ifdef {api.name}"
    yield _wrapper(api, f"call_{number}", keep=True)
    yield "#else"
    yield f"extern {copy};"
    if api.kind == "macro":
        yield _wrapper(api, f"call_{number}", keep=True)
    else:
        yield SAME.format(f"typeof({api.name})", f"typeof(fact_{number})")
    yield "#endif"


def _constant(api: Api, number: int) -> Iterator[str]:
    if api.value is None:
        yield f"static __maybe_unused const typeof({api.name}) fact_{number} = {api.name};"
    else:
        given = "(unsigned long)" if api.name == "NULL" else ""
        yield f'_Static_assert((long long){given}({api.name}) == {api.value}LL, "value");'


def _type(api: Api, number: int) -> Iterator[str]:
    if api.arch:
        yield f"typedef {api.name} fact_{number};"
    else:
        yield (
            re.sub(rf"\b{api.name}\b(?!.*\b{api.name}\b)", f"fact_{number}", api.prototype or "")
            + ";"
        )
        yield SAME.format(api.name, f"fact_{number}")


def _variable(api: Api, number: int) -> Iterator[str]:
    if api.prototype is None or api.arch:
        yield f"typedef typeof({api.name}) fact_{number};"
    else:
        copy = re.sub(rf"\b{api.name}\b", f"fact_{number}", api.prototype)
        yield f"extern {copy};"
        # By address, as a header may leave the type incomplete.
        yield SAME.format(f"typeof(&{api.name})", f"typeof(&fact_{number})")


def _struct(api: Api, number: int, kernel: Kernel) -> Iterator[str]:
    yield f"extern {api.name} *fact_{number};"
    for member, text in kernel.members(api.name).items():
        copy = f"struct fact_{number}_{member}"
        yield f"{copy} {{ {text}; }};"
        theirs = f"typeof((({api.name} *)0)->{member})"
        yield SAME.format(theirs, f"typeof((({copy} *)0)->{member})")
    order = [f"__builtin_offsetof({api.name}, {position})" for position in api.positions]
    for first, second in pairwise(order):
        yield f'_Static_assert({first} < {second}, "order");'
