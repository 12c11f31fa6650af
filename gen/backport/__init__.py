# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver brought to a kernel tree: what changes there, and the mails that carry it."""
