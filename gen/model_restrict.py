# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract of a release: a device without what mainline's driver did not have by then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gen.model import DocumentKind, PlatformFrontend, Trigger

if TYPE_CHECKING:
    from gen.model import Device, Document, Release


class NothingLeftError(Exception):
    """A release that had none of what a driver needs; the message says what, and since when."""


def restrict(device: Device, release: Release) -> Device:
    """The part of `device` that mainline's driver of `release` had.

    Raises:
        NothingLeftError: the release had no event or no frontend of the spec.
    """
    for what, items in (("events", device.events), ("frontends", device.frontends)):
        first = min(item.since for item in items)
        if release < first:
            raise NothingLeftError(
                f"Linux {release} had none of the {what} of {device.source.name}; "
                f"the first came with {first}"
            )
    kept = replace(
        device,
        events=tuple(event for event in device.events if event.since <= release),
        frontends=tuple(frontend for frontend in device.frontends if frontend.since <= release),
        sysfs=tuple(attribute for attribute in device.sysfs if attribute.since <= release),
    )
    return replace(
        kept,
        hooks=replace(
            kept.hooks,
            panic_notifier=kept.hooks.panic_notifier if _uses_panic(kept) else None,
            sys_off=kept.hooks.sys_off if _uses_sys_off(kept) else None,
        ),
        documents=tuple(doc for doc in kept.documents if _has_content(kept, doc)),
    )


def _uses_panic(device: Device) -> bool:
    return any(device.event_for(t) for t in (Trigger.PANIC, Trigger.CRASH_KERNEL))


def _uses_sys_off(device: Device) -> bool:
    return any(device.event_for(t) for t in (Trigger.POWER_OFF, Trigger.RESTART))


def _has_content(device: Device, document: Document) -> bool:
    if document.kind is DocumentKind.SYSFS_ABI:
        return bool(device.sysfs)
    return any(isinstance(f, PlatformFrontend) and f.of for f in device.frontends)
