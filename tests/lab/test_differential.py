# SPDX-License-Identifier: GPL-2.0-or-later
"""`pvgen differential` over several series: which, in what order, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from gen.cli import main
from gen.lab import compare
from gen.lab.compare import Place
from gen.lab.differential import How
from gen.lab.problem import LabError

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

PLACE = Place("surface", "mode")
EQUAL = ("1-amd64", compare.compare({PLACE: "644"}, {PLACE: "644"}, []))
DIFFERENT = ("2-amd64", compare.compare({PLACE: "644"}, {PLACE: "600"}, []))
ALL = ["6.1", "6.12", "7.2", "7.3"]


def differential(
    monkeypatch: pytest.MonkeyPatch, ends: dict[str, object], *words: str
) -> tuple[Result, list[str]]:
    """The command with comparisons that end so, and the series it compared."""
    asked: list[str] = []

    def series(_: How, name: str) -> object:
        asked.append(name)
        end = ends.get(name, EQUAL)
        if isinstance(end, Exception):
            raise end
        return end

    monkeypatch.setattr(How, "series", series)
    return CliRunner().invoke(main, ["differential", *words]), asked


def test_all_series_that_can_be_compared_are_when_none_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran, asked = differential(monkeypatch, {})
    assert (ran.exit_code, asked) == (0, ALL)
    assert ran.output.splitlines()[-1].split() == [
        *("7.3", "1-amd64", "1", "0", "0", "0", "0", "equal", "or", "listed")
    ]


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ({"7.2": DIFFERENT}, 1),
        ({"6.1": LabError("no network")}, 3),
        ({"6.1": LabError("no network"), "7.2": DIFFERENT}, 1),
        ({"6.1": OSError(28, "No space left on device", "/x")}, 3),
    ],
)
def test_what_fails_on_one_series_keeps_no_other_from_being_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: dict[str, object], status: int
) -> None:
    file = tmp_path / "result.json"
    ran, asked = differential(monkeypatch, ends, "--json", str(file))
    assert (ran.exit_code, asked) == (status, ALL)
    told = json.loads(file.read_text())["series"]
    assert [one["series"] for one in told] == ALL
    for one in told:
        end = ends.get(one["series"], EQUAL)
        if isinstance(end, Exception):
            assert one["result"] == "ERROR"
            assert f"{one['series']}: {one['error']}" in ran.output.splitlines()
        else:
            assert one["compared"] == 1
            assert len(one["unlisted"]) == (end is DIFFERENT)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kernel", "6.1", "--kernel", "5.10"], "cannot compare on 5.10; one of: 6.1, 6.12"),
        (["--kernel", "9.9"], "cannot compare on 9.9"),
        (["--kernel", "6.1", "--as-of", "6.1"], "give it alone"),
        (["--mainline", "x"], "give --kernel, or all of"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_played(
    monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    ran, asked = differential(monkeypatch, {}, *words)
    assert (ran.exit_code, asked) == (2, [])
    assert told in ran.output


def test_those_named_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--kernel", "7.3", "--kernel", "6.1", "--kernel", "7.3"]
    assert differential(monkeypatch, {}, *words)[1] == ["7.3", "6.1"]
