# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab on its own: `python -m gen.lab`."""

from gen.lab.command import boot

boot()
