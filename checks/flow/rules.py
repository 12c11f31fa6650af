# SPDX-License-Identifier: GPL-2.0-or-later
"""All rules of this layer: importing this module makes them known."""

from checks.flow import (
    rules_context,
    rules_data,
    rules_errors,
    rules_events,
    rules_iomem,
    rules_lists,
    rules_locals,
    rules_locks,
    rules_publish,
    rules_resources,
    rules_sleep,
    rules_sysfs,
    rules_values,
)

MODULES = (
    rules_context,
    rules_data,
    rules_errors,
    rules_events,
    rules_iomem,
    rules_lists,
    rules_locals,
    rules_locks,
    rules_publish,
    rules_resources,
    rules_sleep,
    rules_sysfs,
    rules_values,
)
