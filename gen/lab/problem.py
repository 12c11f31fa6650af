# SPDX-License-Identifier: GPL-2.0-or-later
"""Why the lab could not answer."""

from __future__ import annotations


class LabError(Exception):
    """The question could not be answered: something is missing, or a tool failed. Exit status 3."""


class GuestError(LabError):
    """The guest did not do what every booted guest does: run a command, answer in time."""


class NoBootError(LabError):
    """The guest did not come up; nothing of the driver was in it yet."""


class QemuGoneError(LabError):
    """QEMU ended while something was still expected of it."""
