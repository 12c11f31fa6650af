# SPDX-License-Identifier: GPL-2.0-or-later
"""The facts about kernels, held against kernels."""
