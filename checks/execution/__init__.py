# SPDX-License-Identifier: GPL-2.0-or-later
"""Running a driver's C against a modelled kernel and a device made from the spec."""
