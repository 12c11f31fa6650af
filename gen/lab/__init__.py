# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: built modules in a real kernel in QEMU, and what the host saw of them.

`docs/lab.md` tells how it works. Nothing here knows a particular device; every name, number and
expectation comes from the `Device` model.
"""
