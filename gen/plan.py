# SPDX-License-Identifier: GPL-2.0-or-later
"""Every decision about the rendered files: a `Device` and a target become a `Plan`.

The templates lay a plan out and decide nothing. What depends on the target's kernel is decided
here from the facts in spec/kernels; what a target cannot carry is left out and noted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen import names
from gen.kconfig import make_condition, parse_dependency
from gen.model import DocumentKind
from gen.model_restrict import LeftOut, carry
from gen.plan_core import CorePlan, plan_core, tabs_after
from gen.plan_docs import AbiPlan, BindingPlan, document_of, plan_abi, plan_binding
from gen.plan_frontend import FrontendPlan, plan_frontend
from gen.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.kernel import Kernel
    from gen.model import Device, KconfigSymbol
    from gen.release import PointRelease

HASH_DIGITS = 12
KCONFIG_HELP_WIDTH = 68


@dataclass(frozen=True)
class Place:
    """A kernel tree that the rendered files are to stand in.

    `copyright` are the lines that the files of the tree have which a rendered one replaces, by its
    path relative to the output directory; `otherwise` those for a source that replaces none.
    """

    release: PointRelease
    copyright: Mapping[str, tuple[str, ...]]
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """What to render for: a kernel's interfaces, and the release whose contract is wanted.

    `place` is None for a directory to build out of tree.
    """

    kernel: Kernel
    as_of: PointRelease | None = None
    place: Place | None = None


@dataclass(frozen=True)
class UapiEvent:
    """A macro of the uapi header."""

    macro: str
    bit: int
    comment: str
    tabs: str


@dataclass(frozen=True)
class UapiPlan:
    """The header for user space."""

    path: str
    license: str
    guard: str
    events: tuple[UapiEvent, ...]


@dataclass(frozen=True)
class KconfigPlan:
    """A Kconfig entry, its help already broken into lines."""

    symbol: str
    type: str
    prompt: str
    depends: str | None
    help: tuple[str, ...]


@dataclass(frozen=True)
class ModuleRule:
    """A line of the Makefile; `condition` is a make expansion, empty where it always holds."""

    symbol: str
    module: str
    condition: str


@dataclass(frozen=True)
class Plan:
    """Everything the templates need; paths are relative to the output directory."""

    name: str
    title: str
    license: str
    origin: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    core: CorePlan
    frontends: tuple[FrontendPlan, ...]
    uapi: UapiPlan
    kconfig: tuple[KconfigPlan, ...]
    modules: tuple[ModuleRule, ...]
    abi: AbiPlan | None
    binding: BindingPlan | None
    place: Place | None


def make_plan(device: Device, target: Target, spec: str) -> Plan:
    """Decide how `device` is rendered for `target`; rendered files call its spec `spec`.

    Raises:
        KernelFactsError: the target lacks an interface that no driver can do without.
    """
    carried, left_out = carry(device, target.kernel)
    place = target.place
    return Plan(
        name=carried.name,
        title=carried.title,
        license=carried.license,
        origin=_origin(device, target, spec, left_out),
        left_out=left_out,
        core=plan_core(carried, target.kernel, in_tree=place is not None),
        frontends=tuple(plan_frontend(carried, f, target.kernel) for f in carried.frontends),
        uapi=_plan_uapi(carried),
        kconfig=tuple(
            _plan_kconfig(symbol, module)
            for symbol, module in (
                # The core's symbol builds nothing by itself: its module comes with a frontend's.
                (carried.kconfig, None),
                *((f.kconfig, f.name) for f in carried.frontends),
            )
        ),
        modules=tuple(_module_rule(f.name, f.kconfig, carried.kconfig) for f in carried.frontends),
        abi=plan_abi(
            carried, document_of(carried, DocumentKind.SYSFS_ABI), place.release if place else None
        ),
        binding=plan_binding(carried, document_of(carried, DocumentKind.DT_BINDING)),
        place=place,
    )


def _origin(
    device: Device, target: Target, spec: str, left_out: tuple[LeftOut, ...]
) -> tuple[str, ...]:
    """What a file was made from and how to make it again; no dates, no machine's paths."""
    digest = hashlib.sha256(device.source.text.encode()).hexdigest()[:HASH_DIGITS]
    probed = target.kernel.probed
    kernel = target.kernel.series if probed is None else str(probed)
    command = f"pvgen gen --spec {spec} "
    command += f"--kernel {kernel}" if probed is None else "--kdir KDIR"
    if target.place:
        chosen = "" if probed else f" --kernel {kernel}"
        command = "pvgen backport --replace --tree TREE --author AUTHOR --out MAILS "
        command += f"--spec={spec}{chosen}"
    contract = ""
    if target.as_of:
        command += f" --as-of {target.as_of}"
        contract = f", contract of {target.as_of}"
    lines = [
        f"Made from {spec} (sha256 {digest}) for Linux {kernel}{contract}.",
        "Do not edit; change the spec and run",
        # In a tree, checkpatch.pl wants no line of more than 100 characters.
        *(f"  {line}" for line in (wrap(command, 76, hanging="  ") if target.place else [command])),
    ]
    for note in filter(None, [target.kernel.caveat, *map(str, left_out)]):
        lines += wrap(f"{note[0].upper()}{note[1:]}.", 76)
    return tuple(lines)


def _plan_uapi(device: Device) -> UapiPlan:
    macros = [names.event_macro(device, event) for event in device.macros]
    return UapiPlan(
        path=f"uapi/{device.uapi.path}",
        license=device.uapi.license,
        guard=device.uapi.guard,
        events=tuple(
            UapiEvent(macro, event.bit, event.description, tabs_after(macro, macros))
            for macro, event in zip(macros, device.macros, strict=True)
        ),
    )


def _plan_kconfig(symbol: KconfigSymbol, module: str | None) -> KconfigPlan:
    paragraphs = [symbol.help]
    if module and symbol.type == "tristate":
        paragraphs.append(
            "To compile this driver as a module, choose M here: the module will be called "
            f"{module}."
        )
    wrapped = [wrap(text, KCONFIG_HELP_WIDTH) for text in paragraphs]
    return KconfigPlan(
        symbol=symbol.symbol,
        type=symbol.type,
        prompt=symbol.prompt,
        depends=symbol.depends,
        help=tuple(line for lines in wrapped for line in ("", *lines))[1:],
    )


def _module_rule(module: str, own: KconfigSymbol, core: KconfigSymbol) -> ModuleRule:
    """The dependency without the core's symbol tells make where the module can be built."""
    condition = ""
    if own.depends is not None:
        condition = make_condition(parse_dependency(own.depends), core.symbol)
    return ModuleRule(own.symbol, module, condition)
