# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests that hold the rendered driver against real kernels' headers, tools and sources."""
