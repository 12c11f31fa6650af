# SPDX-License-Identifier: GPL-2.0-or-later
"""Real boots: every scenario on the shipped driver, and drivers that must fail them."""
