# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers that are run by the checker, and what it says of them."""
