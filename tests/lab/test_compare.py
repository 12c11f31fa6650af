# SPDX-License-Identifier: GPL-2.0-or-later
"""Two sets of notes compared, and the list of meant differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen.diagnostics import Diagnostics
from gen.lab.compare import Listed, Place, compare, default_list, places, read_list, table
from gen.lab.scenario import Check

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = """\
differences:
  - series: ["6.1"]
    scenarios: [surface, rebind]
    what: mode
    mainline: "6[0-9]4"
    ours: "600"
    reason: Only root may look at it.
"""
SEEN = {Place("surface", "mode"): "644", Place("surface", "content"): "1"}
OTHER = {Place("surface", "mode"): "600", Place("surface", "content"): "1"}


def listed(tmp_path: Path, series: str = "6.1", text: str = ENTRY) -> list[Listed]:
    file = tmp_path / "list.yaml"
    file.write_text(text)
    entries = read_list(file, series, Diagnostics())
    assert entries is not None
    return entries


def test_a_difference_is_unlisted_until_it_is_listed(tmp_path: Path) -> None:
    assert [d.ours for d in compare(SEEN, OTHER, []).unlisted] == ["600"]
    result = compare(SEEN, OTHER, listed(tmp_path))
    assert (result.unlisted, result.stale, len(result.listed)) == ((), (), 1)
    assert "listed, 1 times: Only root may look at it." in table(result)


def test_an_entry_for_another_series_does_not_count(tmp_path: Path) -> None:
    assert compare(SEEN, OTHER, listed(tmp_path, "7.3")).unlisted


@pytest.mark.parametrize(
    ("mainline", "ours"), [("644", "666"), ("644", "6000"), ("1644", "600"), ("64", "600")]
)
def test_an_entry_covers_what_it_says_and_no_more(tmp_path: Path, mainline: str, ours: str) -> None:
    """Mainline's side is a pattern for the whole text, ours is meant to the letter."""
    place = Place("surface", "mode")
    result = compare(SEEN | {place: mainline}, OTHER | {place: ours}, listed(tmp_path))
    assert len(result.unlisted) == 1
    assert len(result.stale) == 1


def test_an_entry_may_hold_in_several_scenarios_and_is_stale_in_each(tmp_path: Path) -> None:
    rebind = Place("rebind", "mode")
    both = compare(SEEN | {rebind: "654"}, OTHER | {rebind: "600"}, listed(tmp_path))
    assert (both.unlisted, both.stale, len(both.listed)) == ((), (), 2)
    one = compare(SEEN | {rebind: "600"}, OTHER | {rebind: "600"}, listed(tmp_path))
    assert [stale.scenario for stale in one.stale] == ["rebind"]
    assert "'mode' does not differ so in rebind" in table(one)


def test_an_entry_without_a_difference_is_stale_once_its_scenario_was_played(
    tmp_path: Path,
) -> None:
    (stale,) = compare(SEEN, SEEN, listed(tmp_path)).stale
    assert "list.yaml:2:" in table(compare(SEEN, SEEN, [stale.entry]))
    elsewhere = {Place("reload", "mode"): "644"}
    assert not compare(elsewhere, elsewhere, [stale.entry]).stale


def test_what_only_one_of_them_shows_differs() -> None:
    first = Place("surface", "content")
    (difference,) = compare(SEEN, {Place("surface", "mode"): "644"}, []).unlisted
    assert (difference.place, difference.mainline, difference.ours) == (first, "1", "nothing")


def test_the_same_thing_twice_is_told_apart() -> None:
    found = places("surface", [Check("line", "a", "a"), Check("line", "b", "b")])
    assert found == {Place("surface", "line"): "a", Place("surface", "line", 1): "b"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (ENTRY.replace("reason:", "because:"), "FORM001"),
        (ENTRY.replace("    reason: Only root may look at it.\n", ""), "FORM002"),
        (ENTRY.replace('["6.1"]', "[]"), "FORM007"),
        (ENTRY.replace("6[0-9]4", "6[0-9"), "FORM006"),
        ("differences: [", "YAML001"),
    ],
)
def test_a_bad_list_is_refused(tmp_path: Path, text: str, rule: str) -> None:
    file = tmp_path / "list.yaml"
    file.write_text(text)
    diagnostics = Diagnostics()
    assert read_list(file, "6.1", diagnostics) is None
    assert rule in [item.rule for item in diagnostics]


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    diagnostics = Diagnostics()
    assert read_list(tmp_path / "none.yaml", "6.1", diagnostics) is None
    assert [item.rule for item in diagnostics] == ["YAML006"]


def test_the_projects_own_list_has_the_right_form() -> None:
    assert read_list(default_list(), "6.1", Diagnostics()) is not None
