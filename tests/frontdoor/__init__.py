# SPDX-License-Identifier: GPL-2.0-or-later
"""The front door: make targets, set-up, lock files, the wheel."""
