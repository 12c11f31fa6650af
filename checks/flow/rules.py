# SPDX-License-Identifier: GPL-2.0-or-later
"""All rules of this layer: importing this module makes them known."""

from checks.flow import rules_context, rules_errors, rules_locks, rules_resources

MODULES = (rules_context, rules_errors, rules_locks, rules_resources)
