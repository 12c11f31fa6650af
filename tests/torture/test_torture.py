# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of torture that need no kernel: options, judgement, the table, exit statuses."""

from __future__ import annotations

import json

import pytest

from tests.torture.acts import Result, amiss, operations
from tests.torture.kernels import OPTIONS, options, unmet
from tests.torture.report import Choice, Run, as_json, exit_status, line, table

GOOD = Result("attributes", 100, 1.0)
LOST = Result("panic seed 7: nmi", 1, 2.0, lost=1)
DUMB = Result("detector: leak", 1, 1.0, problem="no detector spoke")


def run(driver: str, *results: Result) -> Run:
    return Run("7.3", driver, "7.3.4-kasan", results, 3.0)


def test_an_option_that_another_one_turned_off_is_told() -> None:
    wanted = "CONFIG_KASAN=y\n# CONFIG_SLUB_TINY is not set\nCONFIG_UBSAN=y\n"
    final = "CONFIG_UBSAN=y\nCONFIG_SLUB_TINY=y\n# CONFIG_KASAN is not set\n"
    assert unmet(wanted, final) == ["CONFIG_KASAN=y (is n)", "CONFIG_SLUB_TINY=n (is y)"]


def test_an_option_that_may_be_absent_is_met_by_absence() -> None:
    assert unmet("CONFIG_A=n\n# CONFIG_B is not set\nCONFIG_C=m\n", "CONFIG_C=m\n") == []


def test_the_kernel_is_asked_for_each_detector() -> None:
    have = options(OPTIONS.read_text())
    wanted = (
        *("KASAN", "PROVE_LOCKING", "DEBUG_ATOMIC_SLEEP", "DEBUG_LIST", "DEBUG_KMEMLEAK", "UBSAN"),
        *("FAILSLAB", "FAIL_FUNCTION", "HOTPLUG_PCI_PCIE"),
    )
    assert {name: have.get(f"CONFIG_{name}") for name in wanted} == dict.fromkeys(wanted, "y")


def test_what_the_guest_counted_is_summed() -> None:
    assert operations("operations 12\nnothing 3\noperations 30") == 42


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1], [1], [1]], (0, 0)),
        ([[], [1], [1]], (0, 0)),
        ([[1], [], [1]], (1, 0)),
        ([[1], [1, 1], [1]], (0, 1)),
        ([[1], [3], [1]], (1, 1)),
        ([[1, 1], [1], [1, 2]], (0, 2)),
    ],
)
def test_each_device_is_told_once_and_the_moving_one_at_most(
    values: list[list[int]], expected: tuple[int, int]
) -> None:
    assert amiss(values, 1, moving=0) == expected


@pytest.mark.parametrize(
    ("runs", "status"),
    [
        ([run("ours", GOOD)], 0),
        ([run("ours", GOOD, LOST)], 1),
        ([run("ours", GOOD), run("mainline", LOST)], 0),
        ([run("ours", LOST, DUMB)], 3),
        ([], 3),
    ],
)
def test_exit_status(runs: list[Run], status: int) -> None:
    assert exit_status(runs) == status


def test_the_table_sums_acts_of_one_family_and_names_what_failed() -> None:
    text = table([run("ours", GOOD, LOST, Result("panic seed 8: interrupt", 1, 2.0))])
    rows = [row.split() for row in text.splitlines()]
    assert rows[1] == ["attributes", "7.3", "ours", "100", "0", "0", "0", "1", "1/1"]
    assert rows[2] == ["panic", "7.3", "ours", "2", "0", "1", "0", "4", "1/2"]
    assert text.splitlines()[-1] == f"7.3 ours: {line(LOST)}"


def test_json_holds_the_choice_and_every_act() -> None:
    document = json.loads(as_json([run("ours", GOOD)], Choice(1, 2.0, 3, 4, ("attributes",))))
    assert document["choice"]["seed"] == 4
    assert document["runs"][0]["results"][0]["operations"] == 100
