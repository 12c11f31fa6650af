# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of the lab that need no guest."""
