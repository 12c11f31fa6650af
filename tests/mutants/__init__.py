# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers with one mistake each, and whether the checker names it."""
