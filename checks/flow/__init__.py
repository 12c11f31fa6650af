# SPDX-License-Identifier: GPL-2.0-or-later
"""Control flow: what each path through a driver's functions does, and the rules about that."""
