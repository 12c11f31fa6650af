# SPDX-License-Identifier: GPL-2.0-or-later
"""Backports: trees, patches and mails."""
