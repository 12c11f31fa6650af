# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver's source says, as records: the only thing that rules look at.

Every record has the span of what it was read from. A value that could not be worked out is None,
which a rule has to answer with "unknown", never with "fine".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from checks.preprocess import Include, MacroDefinition
    from checks.tree import Problem, SourceTree, TreeFile
    from gen.kernel import Kernel
    from gen.source import Span


# Some of the kernel's callbacks have a second member, for functions that change nothing of the
# structure that they are given.
CONST = "_const"


@dataclass(frozen=True)
class Value:
    """An expression: its number, its text if a string, the name of the variable that it is.

    `written` is the expression as it stands in the source, for messages.
    """

    span: Span
    written: str
    number: int | None = None
    text: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Entry:
    """A struct initialiser, or one in an array: values by member path such as `driver.name`."""

    span: Span
    fields: Mapping[str, Value]

    @property
    def empty(self) -> bool:
        """Whether it ends a table: nothing set, or only zeros and empty strings."""
        return all(value.number == 0 or value.text == "" for value in self.fields.values())


@dataclass(frozen=True)
class Object:
    """A file-scope object: `type` such as `struct pci_driver`; an array has entries.

    `fixed` says of an array of pointers that these, rather than what they point to, are const.
    """

    name: str
    type: str
    file: TreeFile
    span: Span
    array: bool
    static: bool
    const: bool
    entries: tuple[Entry, ...]
    fixed: bool = False

    @property
    def fields(self) -> Mapping[str, Value]:
        """The members of an object that is no array."""
        return self.entries[0].fields if self.entries and not self.array else {}

    def callback(self, name: str) -> Value | None:
        """A function that a member holds, or the member beside it for a const argument."""
        return self.fields.get(name) or self.fields.get(f"{name}{CONST}")


@dataclass(frozen=True)
class Mark:
    """A macro that states something about the module: `kind` such as license, table_pci, export."""

    kind: str
    value: Value
    file: TreeFile
    span: Span


@dataclass(frozen=True)
class Address:
    """Where an access goes: offsets in bytes from the region's start, each with its cause's place.

    `offsets` is None if that is not known.
    """

    offsets: Mapping[int, Span] | None
    value: Value


@dataclass(frozen=True)
class Call:
    """A call in `function`; `callee` is the place of the name alone.

    `named` has the arguments by the callee's parameter names, where the kernel's facts have them.
    """

    name: str
    function: str
    file: TreeFile
    span: Span
    callee: Span
    arguments: tuple[Value, ...]
    named: Mapping[str, Value]


@dataclass(frozen=True)
class RegisterAccess:
    """An access to a register: `width` in bits, `direction` read or write."""

    call: Call
    direction: str
    width: int
    address: Address


@dataclass(frozen=True)
class Branch:
    """Code for one kind of resource (`io`, `memory`) and the kinds that it maps."""

    kind: str
    span: Span
    maps: tuple[tuple[str, Call], ...]


@dataclass(frozen=True)
class UnitFacts:
    """One .c file with the headers that it includes."""

    file: TreeFile
    objects: tuple[Object, ...]
    marks: tuple[Mark, ...]
    calls: tuple[Call, ...]
    accesses: tuple[RegisterAccess, ...]
    branches: tuple[Branch, ...]
    functions: Mapping[str, Span]
    defines: tuple[MacroDefinition, ...]
    includes: tuple[Include, ...]


@dataclass(frozen=True)
class KconfigFact:
    """A Kconfig symbol: its type and its whole dependency, menus and ifs around it included.

    `prompt` is empty where there is none; `default` is the place of one that is not n. `clauses`
    are the defaults, selects and implies, each kind as one text with the place of its first.
    """

    name: str
    type: str
    type_span: Span
    span: Span
    depends: object
    depends_span: Span | None
    has_prompt: bool
    has_help: bool
    prompt: str = ""
    default: Span | None = None
    clauses: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class MakeObject:
    """An object that a Makefile builds: `option` decides, None for always.

    `whole` is the module that it is linked into, where it is none itself; `lost` is the
    place of an assignment that replaces the lines before it.
    """

    name: str
    option: str | None
    span: Span
    whole: str | None = None
    lost: Span | None = None


def module_of(objects: Iterable[MakeObject] | None, stem: str) -> str:
    """The name of the module that a .c file is linked into: its own, or its whole's."""
    wholes = [one.whole for one in objects or () if one.name == f"{stem}.o" and one.whole]
    return wholes[0].removesuffix(".o") if wholes else stem


@dataclass(frozen=True)
class MakeOption:
    """A Makefile's own answer to an option: the condition in Kconfig's language."""

    name: str
    condition: str
    span: Span


@dataclass(frozen=True)
class AbiFact:
    """An entry of an ABI document: its paths, and its other fields by their tags in lower case."""

    file: TreeFile
    paths: tuple[Value, ...]
    fields: Mapping[str, Value]


@dataclass(frozen=True)
class BindingFact:
    """A device tree binding: its compatible strings, None where they could not be read.

    `required` has the properties that its schema asks for, None where it is prose, and
    `undescribed` those of them of which it says nothing else. `regions` is how many registers'
    regions a node has at most; `examples` are the compatible strings in examples,
    `sizes` the lengths of their nodes' regions, each with the node's strings.
    """

    file: TreeFile
    compatibles: tuple[Value, ...] | None
    required: frozenset[str] | None = None
    required_span: Span | None = None
    undescribed: tuple[Value, ...] = ()
    regions: Value | None = None
    examples: tuple[Value, ...] = ()
    sizes: tuple[tuple[Value, frozenset[str]], ...] = ()


@dataclass(frozen=True)
class DriverFacts:
    """A whole driver."""

    tree: SourceTree
    kernel: Kernel
    units: tuple[UnitFacts, ...]
    macros: Mapping[str, Value]
    kconfig: tuple[KconfigFact, ...] | None
    makefile: tuple[MakeObject, ...] | None
    options: tuple[MakeOption, ...]
    abi: tuple[AbiFact, ...]
    bindings: tuple[BindingFact, ...]
    problems: tuple[Problem, ...]

    def module(self, file: TreeFile) -> str:
        """The name of the module that a .c file is linked into, without its ending."""
        return module_of(self.makefile, file.path.stem)

    def objects(self, type_: str) -> list[Object]:
        """The objects of a type, such as `struct pci_driver`, each once."""
        found = [item for unit in self.units for item in unit.objects if item.type == type_]
        return list({(item.name, item.span): item for item in found}.values())

    def object(self, name: str | None, near: TreeFile) -> Object | None:
        """The object of a name, the one in `near` first, then one that is not static."""
        found = [item for unit in self.units for item in unit.objects if item.name == name]
        found.sort(key=lambda item: not (item.fields or item.entries))  # after its declarations
        local = [item for item in found if item.file is near]
        shared = [item for item in found if not item.static]
        return next(iter((*local, *shared)), None)

    def marks(self, kind: str) -> list[Mark]:
        """The marks of a kind."""
        return [mark for unit in self.units for mark in unit.marks if mark.kind == kind]

    def calls(self) -> Iterator[Call]:
        """All calls, those in a header that two units include once."""
        seen = set()
        for unit in self.units:
            for call in unit.calls:
                key = (call.span.source, call.span, call.name)
                if key not in seen:
                    seen.add(key)
                    yield call
