# SPDX-License-Identifier: GPL-2.0-or-later
"""What kernels offer to a driver, as data: one table of interfaces, read for one series at a time.

The table is spec/kernels/api.yaml, its language spec/kernels.schema.json. Mainline series are
compared as numbers. A distribution's kernel may carry more than its series says (stable trees take
interfaces back), never less, so a range answers for the oldest point release of a series.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator

from gen.diagnostics import did_you_mean
from gen.model import PointRelease, Release

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TABLE = "api.yaml"
SCHEMA = "kernels.schema.json"


class KernelFactsError(Exception):
    """The facts cannot be read, or do not hold what was asked for; the message is for the user."""


@dataclass(frozen=True)
class Range:
    """The mainline series in which something holds, both ends included; None is open.

    `replacement` says what serves instead on the others.
    """

    since: Release | None = None
    until: Release | None = None
    replacement: str | None = None

    def __contains__(self, series: Release) -> bool:
        after = self.since is None or series >= self.since
        return after and (self.until is None or series <= self.until)


@dataclass(frozen=True)
class Member:
    """A struct member as a C declaration without its semicolon, and where it looks like that."""

    name: str
    text: str
    range: Range


@dataclass(frozen=True)
class Access:
    """A register access: `direction` is read or write, `width` in bits."""

    direction: str
    width: int


@dataclass(frozen=True)
class Lock:
    """How a lock is taken or given back: `variant` such as plain, irq, irqsave has to be the same.

    Who holds an `atomic` one must not sleep.
    """

    variant: str
    atomic: bool


@dataclass(frozen=True)
class Api:
    """A kernel interface; the fields are those of the table.

    `sleeps` is True, False, "gfp" (unless its flags forbid it) or None where it is no question.
    `fails` is never, errno, null, err-ptr or zero; before `fails_since` it never did. `expands` is
    what the parser's stub of a macro turns into, None where a use of it parses as it stands.

    `calls` has the role of each function that the kernel calls back, by parameter or member, such
    as probe, store or sys-off; for a notifier chain under "chain". `initialises` names what a call
    makes ready for use, `tells` the trigger whose presence it tells. `walk` is how a loop goes
    through a list: plain, safe (against deletion) or rcu; a change with rcu is safe under such
    loops. `waits` is the kind of lock whose holders a call waits for; `data` says that it sets or
    gets the driver's data of a device, `resets` that it calls the given function itself when it
    fails.
    """

    name: str
    kind: str
    headers: Mapping[str, Range]
    range: Range
    prototype: str | None = None
    arch: bool = False
    params: tuple[str, ...] | None = None
    expands: str | None = None
    value: int | None = None
    members: tuple[Member, ...] = ()
    positions: tuple[str, ...] = ()
    sleeps: bool | str | None = None
    fails: str | None = None
    fails_since: Release | None = None
    must_check: bool = False
    acquires: str | None = None
    releases: str | None = None
    managed: str | None = None
    access: Access | None = None
    maps: str | None = None
    implies: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    lock: Lock | None = None
    initialises: str | None = None
    tells: str | None = None
    walk: str | None = None
    waits: str | None = None
    data: str | None = None
    resets: bool = False
    brought: Mapping[str, Range] = field(default_factory=dict)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of a function's parameters in order, as its prototype has them."""
        if self.prototype is None or not self.prototype.endswith(")"):
            return self.params or ()
        inner = self.prototype.split(f"{self.name}(", 1)[1][:-1]
        return tuple(_parameter_name(text) for text in _split(inner))


@dataclass(frozen=True)
class Packages:
    """Patterns of Debian package names; `{flavour}` stands for amd64, arm64 and so on."""

    headers: str
    source: str
    image: str


@dataclass(frozen=True)
class Verification:
    """That the table was compared with real headers: those of a version, on a day."""

    version: str
    date: str


@dataclass(frozen=True)
class InTree:
    """Mainline's driver of a device in a series.

    `path` is a directory or a single file in the kernel tree, `kconfig` the type of its symbol,
    `modules` what it builds.
    """

    path: str
    kconfig: str
    modules: tuple[str, ...]

    @property
    def layout(self) -> str:
        """Whether the driver is a single file or a directory."""
        return "file" if self.path.endswith(".c") else "directory"


@dataclass(frozen=True)
class Kernel:
    """The table as one series has it.

    `packages` is None where Debian never shipped it, `verification` where no real headers were
    compared; `architectures` are those besides amd64 on which it is booted. `branch` is its branch
    of the stable tree; `in_tree` has mainline's drivers by the names of their devices.
    """

    series: str
    suites: tuple[str, ...]
    architectures: tuple[str, ...]
    packages: Packages | None
    verification: Verification | None
    branch: str
    in_tree: Mapping[str, InTree]
    release: Release
    table: Mapping[str, Api] = field(repr=False)
    header_table: Mapping[str, Range] = field(repr=False)
    # The headers that few others of the table include, each with those that do.
    bringers: Mapping[str, frozenset[str]] = field(repr=False)
    # The release of the tree whose headers were read, where the table is that of one tree.
    probed: PointRelease | None = None

    @property
    def verified(self) -> bool:
        """Whether the table was compared with real headers of this series."""
        return self.verification is not None

    @property
    def caveat(self) -> str | None:
        """A sentence for what is made for a series that was never compared with real headers.

        None where it was, or where the table is that of a real tree.
        """
        if self.verified or self.probed:
            return None
        known = f"what is known of Linux {self.series} is unverified"
        return f"{known}: it was not compared with real headers"

    def has(self, name: str) -> bool:
        """Whether this series has the interface; a name that the table lacks is not had."""
        api = self.table.get(name)
        return api is not None and self.release in api.range

    def api(self, name: str) -> Api:
        """The interface called `name`, such as `ioread8` or `struct device`.

        Raises:
            KernelFactsError: the table lacks it, or this series does.
        """
        api = self.table.get(name)
        if api is None:
            hint = did_you_mean(name, self.table)
            raise KernelFactsError(_sentence(f"no facts about '{name}'", hint))
        if self.release not in api.range:
            raise KernelFactsError(f"Linux {self.series} has no '{name}'")
        return api

    def header(self, name: str) -> str:
        """The header that a .c file includes for `name`, such as `linux/device.h`.

        A member is named with its struct: `struct pci_driver.dev_groups`.

        Raises:
            KernelFactsError: as for `api`, or this series' struct has no such member.
        """
        name, _, member = name.partition(".")
        if member and member not in self.members(name):
            raise KernelFactsError(f"Linux {self.series} has no member '{member}' in '{name}'")
        for header, range_ in self.api(name).headers.items():
            if self.release in range_:
                return header
        raise KernelFactsError(f"no header known for '{name}' on Linux {self.series}")

    def has_header(self, header: str) -> bool:
        """Whether this series has the header; one that the table lacks is not had."""
        range_ = self.header_table.get(header)
        return range_ is not None and self.release in range_

    def members(self, name: str) -> dict[str, str]:
        """The known members of a struct on this series, as declarations by name."""
        found = self.api(name).members
        return {member.name: member.text for member in found if self.release in member.range}

    def __iter__(self) -> Iterator[Api]:
        """The interfaces that this series has."""
        return (api for api in self.table.values() if self.release in api.range)


@dataclass(frozen=True)
class Kernels:
    """All supported series, oldest first."""

    all: tuple[Kernel, ...]
    default: Kernel

    @property
    def series(self) -> tuple[str, ...]:
        """The supported series as text."""
        return tuple(kernel.series for kernel in self.all)

    def get(self, series: str) -> Kernel:
        """The kernel of a series.

        Raises:
            KernelFactsError: it is not a supported one; the message names those that are.
        """
        for kernel in self.all:
            if kernel.series == series:
                return kernel
        known = f"known are {', '.join(self.series)}"
        hint = did_you_mean(series, self.series)
        raise KernelFactsError(_sentence(f"no facts about Linux {series}; {known}", hint))


def load_kernels(directory: Path) -> Kernels:
    """Read `api.yaml` and every series file in `directory` (spec/kernels).

    Raises:
        KernelFactsError: a file is missing, is no YAML or breaks the schema, no series is the
            default or two are.
    """
    validator = _validator(directory.parent / SCHEMA)
    table = _read(directory / TABLE, validator)
    headers = {name: _range(item) for name, item in table["headers"].items()}
    bringers = {
        name: frozenset(item["brought-by"])
        for name, item in table["headers"].items()
        if "brought-by" in item
    }
    apis = {name: _api(name, item) for name, item in table["apis"].items()}
    files = [path for path in sorted(directory.glob("*.yaml")) if path.name != TABLE]
    items = [_read(path, validator) for path in files]
    kernels = sorted(
        (_kernel(item, apis, headers, bringers) for item in items), key=lambda k: k.release
    )
    defaults = [item["series"] for item in items if item.get("default")]
    if len(defaults) != 1:
        raise KernelFactsError(f"{directory}: one series has to be the default, not {defaults}")
    default = next(kernel for kernel in kernels if kernel.series == defaults[0])
    return Kernels(tuple(kernels), default)


def _split(text: str) -> list[str]:
    """Parameter declarations, split at the commas that are not inside parentheses."""
    return re.split(r",(?![^(]*\))", text)


def _parameter_name(text: str) -> str:
    pointer = re.search(r"\(\*\s*(\w+)\)", text)
    return pointer[1] if pointer else re.split(r"[\s*]+", text.strip())[-1]


def _sentence(text: str, hint: str | None) -> str:
    return f"{text}; {hint}" if hint else text


def _validator(path: Path) -> Draft202012Validator:
    try:
        return Draft202012Validator(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise KernelFactsError(f"{path}: {error}") from None


def _read(path: Path, validator: Draft202012Validator) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise KernelFactsError(f"{path}: {error}") from None
    kind = "table" if path.name == TABLE else "series"
    schema = {**validator.schema, "oneOf": [{"$ref": f"#/$defs/{kind}"}]}  # type: ignore[dict-item]
    broken = next(validator.evolve(schema=schema).iter_errors(data), None)
    if broken is not None:
        deepest = max(broken.context or [broken], key=lambda item: len(item.absolute_path))
        place = ".".join(str(step) for step in deepest.absolute_path)
        raise KernelFactsError(f"{path}: {place or 'top level'}: {deepest.message}")
    if not isinstance(data, dict):
        raise KernelFactsError(f"{path}: not a mapping")
    return data


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _range(item: Mapping[str, Any]) -> Range:
    since, until = item.get("since"), item.get("until")
    return Range(
        Release.parse(since) if since else None,
        Release.parse(until) if until else None,
        item.get("replacement"),
    )


def _members(item: Mapping[str, Any]) -> Iterator[Member]:
    for name, value in item.items():
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            entry = {"text": text} if isinstance(text, str) else text
            yield Member(name, entry["text"], _range(entry))


def _api(name: str, item: Mapping[str, Any]) -> Api:
    header = item["header"]
    headers = {header: {}} if isinstance(header, str) else header
    params = item.get("params")
    return Api(
        name=name,
        kind=item["kind"],
        headers={key: _range(value) for key, value in headers.items()},
        range=_range(item),
        prototype=item.get("prototype"),
        arch=item.get("arch", False),
        params=None if params is None else tuple(params),
        expands=item.get("expands"),
        value=item.get("value"),
        members=tuple(_members(item.get("members", {}))),
        positions=tuple(item.get("positions", ())),
        sleeps=item.get("sleeps"),
        fails=item.get("fails"),
        fails_since=Release.parse(since) if (since := item.get("fails-since")) else None,
        must_check=item.get("must-check", False),
        acquires=item.get("acquires"),
        releases=item.get("releases"),
        managed=item.get("managed"),
        access=Access(**item["access"]) if "access" in item else None,
        maps=item.get("maps"),
        implies=item.get("implies", {}),
        calls=item.get("calls", {}),
        lock=Lock(**item["lock"]) if "lock" in item else None,
        initialises=item.get("initialises"),
        tells=item.get("tells"),
        walk=item.get("walk"),
        waits=item.get("waits"),
        data=item.get("data"),
        resets=item.get("resets", False),
        brought={key: _range(value) for key, value in item.get("brought", {}).items()},
    )


def _kernel(
    item: Mapping[str, Any],
    table: Mapping[str, Api],
    headers: Mapping[str, Range],
    bringers: Mapping[str, frozenset[str]],
) -> Kernel:
    debian = item.get("debian")
    return Kernel(
        series=item["series"],
        suites=tuple(debian["suites"]) if debian else (),
        architectures=tuple(debian.get("architectures", ())) if debian else (),
        packages=Packages(**debian["packages"]) if debian else None,
        verification=Verification(**item["verified"]) if item["verified"] else None,
        branch=item["branch"],
        in_tree={
            name: InTree(found["path"], found["kconfig"], tuple(found["modules"]))
            for name, found in item["in-tree"].items()
        },
        release=Release.parse(item["series"]),
        table=table,
        header_table=headers,
        bringers=bringers,
    )
