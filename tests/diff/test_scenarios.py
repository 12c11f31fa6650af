# SPDX-License-Identifier: GPL-2.0-or-later
"""Known changes and what is reported of them: one by one, backwards, and drawn at random."""

from __future__ import annotations

import difflib
import random
from collections import Counter
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gen.diagnostics import Diagnostics, format_text
from gen.diff.compare import Comparison, compare
from gen.diff.detect import changes
from gen.diff.formula import lost
from gen.diff.policy import OTHER, diff_rules, elsewhere, judge, unreachable
from gen.diff.records import Side
from gen.diff.report import as_text
from gen.load import parse_device
from gen.model_restrict import restrict
from gen.release import PointRelease
from gen.source import Source
from tests.diff.test_c_changes import only_in_c

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
BASE = (HERE / "base.yaml").read_text(encoding="utf-8")
SCENARIOS: dict[str, dict[str, Any]] = yaml.safe_load(
    (HERE / "scenarios.yaml").read_text(encoding="utf-8")
)["scenarios"]
TRIALS = 1000


def side(text: str, label: str) -> Side:
    diagnostics = Diagnostics()
    device = parse_device(Source(label, text), diagnostics)
    assert device is not None, "\n".join(format_text(item) for item in diagnostics)
    return Side(label, device)


@cache
def base() -> Side:
    return side(BASE, "base.yaml")


def edited(text: str, edits: list[list[str]]) -> str:
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the base"
        text = text.replace(old, new)
    return text


def fired(result: Comparison) -> Counter[str]:
    return Counter(one.rule.id for one in result.findings)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, golden: Callable[[Path, str], None]) -> None:
    scenario = SCENARIOS[name]
    text = edited(BASE, scenario["edits"])
    result = compare(base(), side(text, "after.yaml"))
    assert fired(result) == Counter(scenario["findings"])
    lines = difflib.unified_diff(
        BASE.splitlines(), text.splitlines(), "base.yaml", "after.yaml", n=1, lineterm=""
    )
    golden(HERE / "golden" / f"{name}.txt", "\n".join([*lines, "", as_text(result), ""]))


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_backwards(name: str) -> None:
    scenario = SCENARIOS[name]
    after = side(edited(BASE, scenario["edits"]), "after.yaml")
    rules = diff_rules()
    expected = Counter(rules[rule].mirror or rule for rule in scenario["findings"])
    assert fired(compare(after, base())) == expected


def test_every_rule_and_mirror_has_a_scenario() -> None:
    forwards = {rule for one in SCENARIOS.values() for rule in one["findings"]}
    backwards = {diff_rules()[rule].mirror or rule for rule in forwards}
    # Attributes come and go with a release: see test_releases_are_sides.
    releases = {"USER_ATTRS_SHOWN", "USER_ATTRS_HIDDEN"}
    # What no spec can say, but C can: see test_trees and test_c_changes.
    trees = {"AUTOLOAD_DRIVER_MOVED"} | (only_in_c() - forwards - backwards)
    assert set(diff_rules()) - forwards - backwards == {OTHER} | releases | trees
    assert not set(diff_rules()) & (elsewhere().keys() | unreachable().keys())


def test_releases_are_sides() -> None:
    device = base().device
    old, new = (Side(text, restrict(device, PointRelease.parse(text))) for text in ("6.1", "6.2"))
    assert fired(compare(old, new)) == Counter(["USER_ATTRS_SHOWN"])
    assert fired(compare(new, old)) == Counter(["USER_ATTRS_HIDDEN"])


def test_mirrors_are_mutual_or_waived() -> None:
    rules = diff_rules()
    for rule in rules.values():
        assert bool(rule.mirror) != bool(rule.waiver), rule.id
        if rule.mirror:
            assert rules[rule.mirror].mirror == rule.id


def test_no_change_of_the_corpus_is_without_a_rule() -> None:
    for scenario in SCENARIOS.values():
        after = side(edited(BASE, scenario["edits"]), "after.yaml")
        for left, right in ((base(), after), (after, base())):
            for change in changes(left.device, right.device):
                assert OTHER not in {rule.id for rule in judge(change)}, change


def test_a_random_list_of_edits_is_reported_exactly() -> None:
    groups: dict[str, list[str]] = {}
    for name, scenario in SCENARIOS.items():
        if scenario["group"]:
            groups.setdefault(scenario["group"], []).append(name)
    draw = random.Random(20)  # noqa: S311 (no secret)
    for _ in range(TRIALS):
        chosen = draw.sample(sorted(groups), draw.randint(1, len(groups)))
        names = [draw.choice(groups[group]) for group in chosen]
        text = BASE
        for name in names:
            text = edited(text, SCENARIOS[name]["edits"])
        expected = Counter(rule for name in names for rule in SCENARIOS[name]["findings"])
        assert fired(compare(base(), side(text, "after.yaml"))) == expected, names


# One edit of each key of an event, and what is told of it.
OOPS: dict[str, tuple[str, str, list[str]]] = {
    "name": ("name: oops", "name: bang", ["USER_UAPI_MACRO_RENAMED"]),
    "bit": ("bit: 0\n", "bit: 6\n", ["HOST_BIT_VALUE_CHANGED", "USER_UAPI_VALUE_CHANGED"]),
    "trigger": ("trigger: panic", "trigger: crash-kernel", ["HOST_BIT_CONDITION_CHANGED"]),
    "qmp": ("qmp: GUEST_OOPS", "qmp: GUEST_BANG", ["HOST_QMP_EVENT_CHANGED"]),
    "qemu": ('qemu: {since: "7.0", qmp', 'qemu: {since: "7.2", qmp', ["HOST_QEMU_SINCE_CHANGED"]),
    "since": ('"6.0"\n    description: A ', '"6.2"\n    description: A ', ["STABLE_SINCE_LATER"]),
    "text": ("A panic.", "A bang.", ["SPEC_TEXT_ONLY"]),
}
ANOTHER = ["HOST_BIT_DELETED", "USER_UAPI_MACRO_DELETED", "HOST_BIT_ADDED", "USER_UAPI_MACRO_ADDED"]


def told_of_oops(keys: set[str]) -> list[str]:
    """What is told of an event of which these keys differ."""
    found = [rule for key in OOPS if key in keys for rule in OOPS[key][2]]
    makes = keys & {"bit", "trigger", "qmp"}
    if "name" not in keys or makes <= {"bit"}:
        return found
    return ANOTHER if "bit" in makes else ["HOST_BIT_REUSED", *found]


def oops(keys: set[str]) -> str:
    text = BASE
    for key, (old, new, _) in OOPS.items():
        if key in keys:
            text = edited(text, [[old, new]])
    return text


def test_all_edits_of_one_event_are_reported_exactly() -> None:
    for count in range(1, len(OOPS) + 1):
        for keys in map(set, combinations(OOPS, count)):
            result = compare(base(), side(oops(keys), "after.yaml"))
            assert fired(result) == Counter(told_of_oops(keys)), keys


def test_a_fingerprint_has_the_values_of_whole_items() -> None:
    def marks(text: str) -> dict[str, str]:
        return {one.rule.id: one.fingerprint for one in compare(base(), side(text, "x")).findings}

    one = oops({"name", "qmp"})
    left, right = marks(one), marks(one.replace("GUEST_BANG", "GUEST_ELSE"))
    for rule in ("HOST_BIT_REUSED", "HOST_QMP_EVENT_CHANGED"):
        assert left[rule] != right[rule]
    assert (
        left["USER_UAPI_MACRO_RENAMED"]
        != marks(one.replace("name: bang", "name: boom"))["USER_UAPI_MACRO_RENAMED"]
    )


def test_a_fingerprint_knows_nothing_of_places() -> None:
    after = edited(BASE, SCENARIOS["bar"]["edits"])
    marks = [
        [one.fingerprint for one in compare(base(), side(text, name)).findings]
        for text, name in ((after, "a.yaml"), ("# one line more\n" + after, "b.yaml"))
    ]
    assert marks[0] == marks[1]
    assert marks[0]


@pytest.mark.parametrize(
    ("old", "new", "values"),
    [
        ("PCI && DEV", "PCI && DEV && X86", {"PCI": 2, "X86": 0}),
        ("PCI && DEV", "PCI && DEV && !X86", {"PCI": 2, "X86": 2}),
        ("(ACPI || OF) && DEV", "OF && DEV", {"ACPI": 2, "OF": 0}),
        ("PCI && DEV", "(PCI || ISA) && DEV", None),
    ],
)
def test_a_config_is_one_that_a_dependency_takes_away(
    old: str, new: str, values: dict[str, int] | None
) -> None:
    assert lost(old, new, {"DEV"}) == values
    texts = (BASE.replace("depends: PCI && DEV", f"depends: {one}") for one in (old, new))
    before, after = (side(text, "x.yaml") for text in texts)
    (found,) = compare(before, after).findings
    shown = [(one.what, one.before, one.after) for one in found.witnesses]
    if values is None:
        # What it allows now is shown instead.
        ((what, *lines),) = shown
        assert what == "a .config with ISA=y, PCI=n"
        assert lines == [("# CONFIG_DEV_PCI is not set",), ("CONFIG_DEV_PCI=m",)]
        return
    told = ", ".join(f"{name}={'y' if value else 'n'}" for name, value in values.items())
    what = f"an old .config with {told} after olddefconfig"
    assert shown == [(what, ("CONFIG_DEV_PCI=m",), ("# CONFIG_DEV_PCI is not set",))]
