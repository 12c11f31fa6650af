# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes to judgements, by rules.yaml: how bad, who breaks, what a stable tree makes of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gen.diff.records import Action, DiffRule, Severity

if TYPE_CHECKING:
    from gen.diff.records import Change

RULES = Path(__file__).with_name("rules.yaml")
OTHER = "SPEC_OTHER"
# What breaks a build leaves no module to load, and what is not loaded serves no user.
BREAKS = {
    "USER": ("USER",),
    "AUTOLOAD": ("AUTOLOAD", "USER"),
    "BUILD": ("BUILD", "AUTOLOAD", "USER"),
    "HOST": ("HOST",),
    "STABLE": ("STABLE",),
}
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.load(RULES.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a safe loader)
    return data


@cache
def diff_rules() -> dict[str, DiffRule]:
    """All rules by id, in the order of their file."""
    return {item["id"]: _rule(item) for item in _data()["rules"]}


def unreachable() -> dict[str, str]:
    """Ids of changes that no two specs can show, and why."""
    return dict(_data()["unreachable"])


def elsewhere() -> dict[str, str]:
    """Other names of changes, and the rules that tell of them."""
    return dict(_data()["elsewhere"])


def _rule(item: dict[str, Any]) -> DiffRule:
    return DiffRule(
        id=item["id"],
        title=item["title"],
        severity=Severity(item["severity"]),
        breaks=tuple(item["breaks"]),
        stable=item["stable"],
        why=item["why"],
        reference=item["reference"],
        promise=item["promise"],
        mirror=item.get("mirror"),
        waiver=item.get("waiver"),
        on=tuple(_on(text) for text in item["judges"]),
    )


def _on(text: str) -> tuple[str, Action, str]:
    subject, action, *direction = text.split()
    return subject, Action(action), direction[0] if direction else ""


@cache
def _index() -> dict[tuple[str, Action, str], list[DiffRule]]:
    index: dict[tuple[str, Action, str], list[DiffRule]] = {}
    for rule in diff_rules().values():
        for on in rule.on:
            index.setdefault(on, []).append(rule)
    return index


def judge(change: Change) -> list[DiffRule]:
    """The rules that a change falls under, by its direction if one names it; else SPEC_OTHER."""
    for direction in (change.direction, ""):
        rules = _index().get((change.subject, change.action, direction))
        if rules:
            return rules
    return [diff_rules()[OTHER]]


def affected(rule: DiffRule) -> tuple[str, ...]:
    """Who breaks, and who breaks with them."""
    return tuple(dict.fromkeys(name for one in rule.breaks for name in BREAKS[one]))
