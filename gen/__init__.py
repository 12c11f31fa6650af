# SPDX-License-Identifier: GPL-2.0-or-later
"""Spec in, kernel driver out: model, plan and rendering of one paravirtual device."""
