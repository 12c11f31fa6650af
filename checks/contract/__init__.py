# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the contract that a driver implements out of its source."""
