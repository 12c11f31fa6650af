# SPDX-License-Identifier: GPL-2.0-or-later
"""What a change of a spec means, and for whom: match, detect, policy, explain, report."""
