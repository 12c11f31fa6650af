# SPDX-License-Identifier: GPL-2.0-or-later
"""A part of a device: the contract of a release, or what a kernel can carry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gen.frontend import PciFrontend, PlatformFrontend
from gen.model import DocumentKind, Trigger

if TYPE_CHECKING:
    from gen.frontend import Frontend
    from gen.kernel import Kernel
    from gen.model import Device, Document
    from gen.release import PointRelease


@dataclass(frozen=True)
class LeftOut:
    """A feature that a kernel cannot carry, and why."""

    feature: str
    why: str

    def __str__(self) -> str:
        return f"{self.feature} is left out: {self.why}"


class NothingLeftError(Exception):
    """A release that had none of what a driver needs; the message says what, and since when."""


def restrict(device: Device, release: PointRelease, *, shared: bool = False) -> Device:
    """The part of `device` that mainline's driver of `release` had.

    Args:
        device: the whole device.
        release: a mainline release, its newest point release, or one of these.
        shared: also answer for a release whose driver had none of the spec's frontends, and so
            another layout: the device that is returned has no frontends then, and the spec's are
            in `later`.

    Raises:
        NothingLeftError: the release had no event or no frontend of the spec.
    """
    parts = (("events", device.events), ("frontends", device.frontends))
    for what, items in parts[:1] if shared else parts:
        if not any(release in item.arrival for item in items):
            first = min(item.arrival.since for item in items)
            raise NothingLeftError(
                f"Linux {release} had none of the {what} of {device.source.name}; "
                f"the first came with {first}"
            )
    kept = replace(
        device,
        events=tuple(event for event in device.events if release in event.arrival),
        frontends=tuple(
            _restrict_frontend(frontend, release)
            for frontend in device.frontends
            if release in frontend.arrival
        ),
        sysfs=tuple(attribute for attribute in device.sysfs if release in attribute.arrival),
        defined=tuple(event for event in device.defined if release in event.arrival),
    )
    if not kept.frontends:
        later = tuple(_restrict_frontend(frontend, release) for frontend in device.frontends)
        kept = replace(kept, later=later)
    return replace(
        kept,
        hooks=replace(
            kept.hooks,
            panic_notifier=kept.hooks.panic_notifier if _uses_panic(kept) else None,
            sys_off=kept.hooks.sys_off if _uses_sys_off(kept) else None,
        ),
        documents=tuple(doc for doc in kept.documents if _has_content(kept, doc)),
    )


def _restrict_frontend(frontend: Frontend, release: PointRelease) -> Frontend:
    """The frontend with the ids it had, and without attributes if its devices showed none yet."""
    if isinstance(frontend, PciFrontend):
        also = tuple(pair for pair in frontend.also if release in pair.arrival)
        frontend = replace(frontend, also=also)
    shown = frontend.attributes is not None and release in frontend.attributes
    return frontend if shown else replace(frontend, attributes=None)


def carry(device: Device, kernel: Kernel) -> tuple[Device, tuple[LeftOut, ...]]:
    """The device without the events that `kernel` has no hook for, and what was left out."""
    if kernel.has("register_sys_off_handler"):
        return device, ()
    needy = (Trigger.POWER_OFF, Trigger.RESTART)
    lost = [event for event in device.events if event.trigger in needy]
    kept = replace(
        device,
        events=tuple(event for event in device.events if event not in lost),
        hooks=replace(device.hooks, sys_off=None),
    )
    why = f"Linux {kernel.series} has no register_sys_off_handler()"
    return kept, tuple(LeftOut(f"the event '{event.name}'", why) for event in lost)


def _uses_panic(device: Device) -> bool:
    return any(device.event_for(t) for t in (Trigger.PANIC, Trigger.CRASH_KERNEL))


def _uses_sys_off(device: Device) -> bool:
    return any(device.event_for(t) for t in (Trigger.POWER_OFF, Trigger.RESTART))


def _has_content(device: Device, document: Document) -> bool:
    if document.kind is DocumentKind.SYSFS_ABI:
        return bool(device.sysfs)
    return any(isinstance(f, PlatformFrontend) and f.of for f in device.frontends)
