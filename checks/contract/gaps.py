# SPDX-License-Identifier: GPL-2.0-or-later
"""Signs that a driver goes on where its text ends: what it uses or starts is nowhere in it.

A file that was cut between two functions is C like any other. What a whole driver of this class
never lacks tells of it: each module says its licence and registers something, each name is defined
somewhere, and whatever only its own file can use is used there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.extract import FACT
from checks.tree import Role
from gen.diff.records import Unknown
from gen.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.facts import DriverFacts, UnitFacts
    from checks.parse import Unit
    from gen.source import Span

# The marks by which a module begins to do something.
_STARTS = frozenset({"init", "driver"})
# What C and its compiler have without a declaration, and what stands for a kernel macro's inside.
_GIVEN = frozenset({"__func__", "__FUNCTION__", "true", "false", "offsetof"})
_INSIDE = ("__model_", "__builtin_")
_NOWHERE = "none of the kernel's interfaces that pvgen knows, and defined nowhere in what was read"


def gaps(facts: DriverFacts, units: tuple[Unit, ...]) -> Iterator[Unknown]:
    """What shows that a part of the driver is not there, each at its place."""
    yield from _unfinished(facts, units)
    yield from _unbuilt(facts)
    own = tuple(f"{stem.upper()}_" for stem in _stems(facts))
    names = [_Names.of(unit) for unit in units]
    declared = {name for one in names for name in one.declared}
    for name, at in nowhere(facts, units):
        # A constant of the kernel that the facts lack is no sign; one of the driver's own is.
        if not name.isupper() or name.startswith(own) or name in declared:
            yield Unknown("driver", "", f"'{name}' is {_NOWHERE}", at)
    for one in names:
        for name, at in one.static.items():
            if name not in one.used and not _followed(facts, one, at):
                yield Unknown("driver", "", f"nothing in what was read uses '{name}'", at)


def _followed(facts: DriverFacts, unit: _Names, at: Span) -> bool:
    """Whether the file goes on to where its module starts: what was cut ends before that."""
    starts = (mark.span for kind in _STARTS for mark in facts.marks(kind)
              if mark.file is unit.unit.file)  # fmt: skip
    return any(start.source is at.source and start.line > at.line for start in starts)


def _absent(facts: DriverFacts) -> Iterator[str]:
    """How the macros begin of a header for user space that is not among the files.

    Where they come from is known, so that their absence says nothing of the driver.
    """
    stems = _stems(facts)
    for include in (one for unit in facts.units for one in unit.includes):
        stem = _word(PurePosixPath(include.header).stem)
        public = include.file is None and not include.quoted
        if public and any(one.startswith(stem) for one in stems):
            yield f"{stem.upper()}_"


def _stems(facts: DriverFacts) -> set[str]:
    """The names of the files and of the modules that these are parts of, as C has them."""
    files = {unit.file for unit in facts.units}
    return {_word(name) for file in files for name in (file.path.stem, facts.module(file))}


def _word(stem: str) -> str:
    return stem.replace("-", "_")


def nowhere(facts: DriverFacts, units: tuple[Unit, ...]) -> Iterator[tuple[str, Span]]:
    """The names that neither the driver nor the kernel's facts define, each where it is first."""
    names = [_Names.of(unit) for unit in units]
    defined = {name for one in names for name in one.defined}
    known = _GIVEN | facts.kernel.table.keys() | defined | {n for one in names for n in one.inner}
    outside, told = (*_INSIDE, *_absent(facts)), set[str]()
    for one in names:
        for name, at in (*one.declared.items(), *one.used.items()):
            if name not in known | told and not name.startswith(outside):
                told.add(name)
                yield name, at


def unexported(facts: DriverFacts, units: tuple[Unit, ...]) -> dict[str, Span]:
    """What a module uses of another one of the driver that does not export it, at its first use."""
    built = {one.name for one in facts.makefile or ()}
    exports = {mark.value.name for unit in facts.units for mark in unit.marks
               if mark.kind.startswith("export")}  # fmt: skip
    names = {unit.file: _Names.of(unit) for unit in units}
    modules = {module: [names[part.file] for part in parts if part.file in names]
               for module, parts in _modules(facts).items() if module in built}  # fmt: skip
    shared = {name: module for module, parts in modules.items() for one in parts
              for name in one.defined - one.static.keys()}  # fmt: skip
    found: dict[str, Span] = {}
    for module, parts in modules.items():
        for name, at in (use for one in parts for use in one.used.items()):
            if shared.get(name, module) != module and name not in exports:
                found.setdefault(name, at)
    return found | _unimported(facts, modules, shared)


def _unimported(
    facts: DriverFacts, modules: Mapping[str, list[_Names]], shared: Mapping[str, str]
) -> dict[str, Span]:
    """What a module uses of a namespace that none of its files imports."""
    spaces = {name: space.strip(' "') for mark in facts.marks("export_ns")
              for name, _, space in [(mark.value.text or "").partition(" ")]}  # fmt: skip
    found: dict[str, Span] = {}
    for module, parts in modules.items():
        files = {one.unit.file for one in parts}
        taken = {(mark.value.text or "").strip(' "') for mark in facts.marks("import_ns")
                 if mark.file in files}  # fmt: skip
        for name, at in (use for one in parts for use in one.used.items()):
            if shared.get(name, module) != module and spaces.get(name, "") not in {"", *taken}:
                found.setdefault(name, at)
    return found


def _modules(facts: DriverFacts) -> dict[str, list[UnitFacts]]:
    """The files of each module, by its object's name."""
    modules: dict[str, list[UnitFacts]] = {}
    for unit in (one for one in facts.units if one.file.role is Role.UNIT):
        modules.setdefault(f"{facts.module(unit.file)}.o", []).append(unit)
    return modules


def _unfinished(facts: DriverFacts, units: tuple[Unit, ...]) -> Iterator[Unknown]:
    """The modules that lack what every module has; a composite one has it in any of its files.

    One that only exports what others of the driver use registers nothing, if the driver's hooks
    are in another one: of a core that was cut, frontends use what is left.
    """
    used = {unit.file: _Names.of(unit).used.keys() for unit in units}
    hooked = any(mark.kind == "init" for unit in facts.units for mark in unit.marks)
    for parts in _modules(facts).values():
        kinds = {mark.kind for unit in parts for mark in unit.marks}
        last = parts[-1].file.source
        at = last.span(max(len(last.lines), 1), 1, 1)
        if "license" not in kinds:
            yield Unknown("driver", "", "there is no MODULE_LICENSE down to here", at)
        exports = {mark.value.name for unit in parts for mark in unit.marks
                   if mark.kind.startswith("export")}  # fmt: skip
        own = {unit.file for unit in parts}
        serves = any(names & exports for file, names in used.items() if file not in own)
        if not kinds & _STARTS and not (serves and hooked):
            yield Unknown("driver", "", "nothing is registered when the module is loaded", at)


def _unbuilt(facts: DriverFacts) -> Iterator[Unknown]:
    """The files that a Makefile builds as parts of the driver, and that are not there."""
    units = [unit.file.path for unit in facts.units if unit.file.role is Role.UNIT]
    stems = {path.stem for path in units}
    core = min((_word(stem) for stem in stems), key=len, default="")
    wholes = {one.whole for one in facts.makefile or ()}
    told = {PurePosixPath(one.span.source.name).stem for one in facts.problems}
    for one in facts.makefile or ():
        stem = one.name.removesuffix(".o")
        ours = _word(stem).startswith(core) or one.whole in {f"{name}.o" for name in stems}
        if ours and one.name not in wholes and stem not in stems | told:
            told.add(stem)
            makefile = one.span.source
            path = PurePosixPath(makefile.name).parent / f"{stem}.c"
            why = f"cannot be read: it is not there, but built by {makefile.name}:{one.span.line}"
            yield Unknown("driver", "", why, Source(str(path), "").span(1, 1))


@dataclass
class _Names(c_ast.NodeVisitor):  # type: ignore[misc]
    """The names of a unit, each with its first place.

    `defined` are those of the file scope, `inner` those of functions, types and enumerators;
    `declared` are promised to be defined; `static` can be used in this unit alone.
    """

    unit: Unit
    defined: set[str] = field(default_factory=set)
    inner: set[str] = field(default_factory=set)
    declared: dict[str, Span] = field(default_factory=dict)
    static: dict[str, Span] = field(default_factory=dict)
    used: dict[str, Span] = field(default_factory=dict)

    @classmethod
    def of(cls, unit: Unit) -> _Names:
        names = cls(unit)
        for item in unit.ast.ext if unit.ast else []:
            if unit.token(item) is not None:
                names.visit(item)
                names.file_scope(item)
        return names

    def file_scope(self, item: c_ast.Node) -> None:
        """Take in what an item at file scope defines or promises."""
        decl = item.decl if isinstance(item, c_ast.FuncDef) else item
        if not isinstance(decl, c_ast.Decl) or not decl.name or decl.name.startswith(FACT):
            return
        promised = decl is item and (
            isinstance(decl.type, c_ast.FuncDecl) or "extern" in decl.storage
        )
        at = self.unit.name_span(decl)
        if promised:
            self.declared.setdefault(decl.name, at)
            return
        self.defined.add(decl.name)
        if "static" in decl.storage and "inline" not in decl.funcspec:
            self.static.setdefault(decl.name, at)

    def visit_ID(self, node: c_ast.ID) -> None:  # noqa: N802 (pycparser calls it so)
        self.used.setdefault(node.name, self.unit.name_span(node))

    def visit_StructRef(self, node: c_ast.StructRef) -> None:  # noqa: N802 (as above)
        self.visit(node.name)

    def visit_NamedInitializer(self, node: c_ast.NamedInitializer) -> None:  # noqa: N802 (as above)
        self.visit(node.expr)

    def visit_Decl(self, node: c_ast.Decl) -> None:  # noqa: N802 (as above)
        if node.name:
            self.inner.add(node.name)
        self.generic_visit(node)

    def visit_Enumerator(self, node: c_ast.Enumerator) -> None:  # noqa: N802 (as above)
        self.inner.add(node.name)
        self.generic_visit(node)
