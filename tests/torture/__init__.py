# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver under fire in a kernel that watches itself; see docs/torture.md."""
