# SPDX-License-Identifier: GPL-2.0-or-later
"""C in, findings out: what a driver's source says, held against the device's spec."""
