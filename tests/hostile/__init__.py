# SPDX-License-Identifier: GPL-2.0-or-later
"""Input from strangers who mean harm: refused at its place, or rendered as nothing but text."""
