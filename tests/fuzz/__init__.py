# SPDX-License-Identifier: GPL-2.0-or-later
"""Coverage-guided fuzzing of everything that reads what a stranger wrote; see docs/hostile.md."""
