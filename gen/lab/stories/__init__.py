# SPDX-License-Identifier: GPL-2.0-or-later
"""All scenarios, family by family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.lab.stories import attributes, crash, hotplug, lifecycle, memory, panic, power, storm

if TYPE_CHECKING:
    from gen.lab.bench import Bench
    from gen.lab.scenario import Scenario

FAMILIES = (
    panic.scenarios,
    hotplug.scenarios,
    storm.scenarios,
    crash.scenarios,
    power.scenarios,
    attributes.scenarios,
    lifecycle.scenarios,
    memory.scenarios,
)


def all_scenarios(bench: Bench) -> tuple[Scenario, ...]:
    """Every scenario for a spec and a host, also those that cannot be played."""
    return tuple(scenario for family in FAMILIES for scenario in family(bench))
