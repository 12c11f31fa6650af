# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of torture that need no kernel: options, judgement, records, table, exit statuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.torture.acts import DEFECTS, Result, operations
from tests.torture.drivers import failing
from tests.torture.journal import Verdict, judge
from tests.torture.kernels import SANITIZERS, options, unmet, wanted
from tests.torture.panics import MOMENTS, amiss
from tests.torture.program import FAMILIES, GIVE_UP, Choice, family_of, program
from tests.torture.record import Record, Subject, read, take_up
from tests.torture.report import exit_status, failures, line, table

if TYPE_CHECKING:
    from pathlib import Path

GOOD = Result("attributes #1: 60 s", 100, 1.0)
LOST = Result("panic nmi #7", 1, 2.0, lost=1, detail="after 0.20 s")
DUMB = Result("detector: leak", 1, 1.0, problem="no detector spoke")
SUBJECT = Subject("7.3", "ours", "kasan", "7.3.4-kasan", "key")
CHOICE = Choice(
    panics=22, operations=0, seconds=1.0, rounds=120, plugs=5, power_offs=2, seed=1,
    families=FAMILIES,
)  # fmt: skip
FUNCTIONS = {"bell_send": 64}
NAMES = ("bell", "bell-pci")


def record(driver: str, *results: Result, file: Path | None = None) -> Record:
    return Record(file, replace(SUBJECT, driver=driver), list(results))  # type: ignore[arg-type]


def test_an_option_that_another_one_turned_off_is_told() -> None:
    asked = "CONFIG_KASAN=y\n# CONFIG_SLUB_TINY is not set\nCONFIG_UBSAN=y\n"
    final = "CONFIG_UBSAN=y\nCONFIG_SLUB_TINY=y\n# CONFIG_KASAN is not set\n"
    assert unmet(asked, final) == ["CONFIG_KASAN=y (is n)", "CONFIG_SLUB_TINY=n (is y)"]


def test_an_option_that_may_be_absent_is_met_by_absence() -> None:
    assert unmet("CONFIG_A=n\n# CONFIG_B is not set\nCONFIG_C=m\n", "CONFIG_C=m\n") == []


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_the_kernels_are_asked_for_each_detector(sanitizer: str) -> None:
    own = {
        "kasan": ("KASAN", "UBSAN", "DEBUG_KMEMLEAK", "FAILSLAB", "FAIL_FUNCTION"),
        "kcsan": ("KCSAN",),
    }
    common = ("PROVE_LOCKING", "DEBUG_ATOMIC_SLEEP", "DEBUG_LIST", "HOTPLUG_PCI_PCIE", "KPROBES")
    names = (*own[sanitizer], *common)
    have = options(wanted(sanitizer))
    assert {name: have.get(f"CONFIG_{name}") for name in names} == dict.fromkeys(names, "y")


def test_what_the_guest_counted_is_summed() -> None:
    assert operations("operations 12\nnothing 3\noperations 30") == 42


def test_calls_that_can_fail_return_what_the_table_of_interfaces_says() -> None:
    calls = (
        "pcim_iomap",
        "pcim_enable_device",
        "mutex_unlock",
        "devm_kmalloc",
        "no_such_call",
        "atomic_notifier_chain_unregister",
    )
    assert failing(calls, "7.3") == {"pcim_iomap": 0, "pcim_enable_device": -12, "devm_kmalloc": 0}


RULE = "[    1.0] " + "=" * 40
RACE = f"{RULE}\n[    1.0] BUG: KCSAN: data-race in {{0}} / {{0}}\n[    1.0]  {{1}}\n{RULE}"


def test_a_race_counts_if_the_driver_is_in_a_stack() -> None:
    own = RACE.format("bell_send", "bell_send+0x1/0x9 [bell_pci]")
    other = RACE.format("tick", "tick+0x1/0x9")
    verdict = judge(f"{other}\n{own}\n", NAMES)
    assert verdict.reports == ("BUG: KCSAN: data-race in bell_send / bell_send",)
    assert verdict.foreign == 1


def test_a_race_that_a_panic_cuts_off_ends_there() -> None:
    """What panics may be in the driver, which the race was not."""
    cut = RACE.format("tick", "tick+0x1/0x9").removesuffix(RULE)
    panic = "[    1.1] Kernel panic - not syncing: NMI\n[    1.1]  bell_send+0x1/0x9 [bell_pci]\n"
    assert judge(cut + panic, NAMES) == judge(cut, NAMES) == Verdict((), 1)
    own = cut.replace("tick+", "bell_send+0x1/0x9 [bell_pci]+")
    assert judge(own + panic, NAMES).reports == ("BUG: KCSAN: data-race in tick / tick",)


CHAIN = "(&ctrl->reset_lock){{..}}\n (pci_rescan_remove_lock){{..}} {0}"


@pytest.mark.parametrize(
    ("what", "lock", "foreign"),
    [
        ("inconsistent lock state", "&nmi_desc[0].lock", 1),
        ("inconsistent lock state", "bell_lock", 0),
        ("possible circular locking dependency detected", CHAIN.format("pciehp_ist"), 1),
        ("possible circular locking dependency detected", CHAIN.format("f+0x1/0x2 [bell_pci]"), 0),
        ("possible circular locking dependency detected", "bell_lock", 0),
    ],
)
def test_only_locks_that_are_known_not_to_be_the_drivers_are_let_pass(
    what: str, lock: str, foreign: int
) -> None:
    verdict = judge(f"{RULE}\nWARNING: {what}\n ({lock}){{....}}\nstack backtrace:\n", NAMES)
    assert verdict.foreign == foreign
    assert len(verdict.reports) == 1 - foreign


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
    assert amiss(values, 1, moving={0}) == expected


def test_the_program_has_each_detector_and_each_moment_under_both_fires() -> None:
    acts = list(program("kasan", FUNCTIONS, {}, CHOICE, list))
    names = [act.name for act in acts]
    assert len(set(names)) == len(names)
    assert [f"detector: {name}" for name in DEFECTS["kasan"]] == names[: len(DEFECTS["kasan"])]
    fires = {(act.family, act.state) for act in acts if act.family.startswith("panic")}
    assert fires == {(f"panic {m}", s) for m in MOMENTS for s in ("fire", "fire-apart")}
    reloads = [name.split(": ")[1] for name in names if name.startswith("reload")]
    assert reloads == ["50 rounds", "50 rounds", "20 rounds"]


def played(outcome: Result) -> int:
    """How many times attributes are used when each time has the same outcome."""
    done: list[Result] = []
    chosen = replace(CHOICE, operations=250, families=("attributes",))
    for act in program("kasan", FUNCTIONS, {}, chosen, done.copy):
        done += [replace(outcome, act=act.name)]
    return len(done)


def test_attributes_are_used_until_it_is_enough() -> None:
    assert played(Result("", 100, 1.0)) == 3


def test_attributes_that_only_fail_are_given_up() -> None:
    assert played(Result("", 0, 1.0, problem="it hung")) == GIVE_UP


def test_a_record_is_taken_up_as_far_as_it_goes(tmp_path: Path) -> None:
    first = take_up(tmp_path, SUBJECT)
    first.add(GOOD)
    first.add(LOST)
    first.add(replace(LOST, lost=0))
    with first.file.open("a") as file:
        file.write('{"act": "cut sho')
    again = take_up(tmp_path, SUBJECT)
    assert again.results == [GOOD, replace(LOST, lost=0)]
    again.add(DUMB)
    assert read(again.file).results == [GOOD, replace(LOST, lost=0), DUMB]
    assert again.has(DUMB.act, again=False)
    assert not again.has(DUMB.act, again=True)


def test_a_record_of_another_driver_is_put_away(tmp_path: Path) -> None:
    take_up(tmp_path, SUBJECT).add(GOOD)
    fresh = take_up(tmp_path, replace(SUBJECT, key="other"))
    assert fresh.results == []
    assert read(fresh.file.with_suffix(".old")).results == [GOOD]


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ([record("ours", GOOD)], 0),
        ([record("ours", GOOD, LOST)], 1),
        ([record("ours", GOOD), record("mainline", LOST)], 0),
        ([record("ours", LOST, DUMB)], 3),
        ([], 3),
    ],
)
def test_exit_status(records: list[Record], status: int) -> None:
    assert exit_status(records) == status


def test_the_table_sums_acts_of_one_family_and_what_failed_is_named() -> None:
    records = [record("ours", GOOD, LOST, Result("panic nmi #8", 1, 2.0))]
    rows = [row.split() for row in table(records).splitlines()]
    assert rows[1] == ["attributes", "7.3", "kasan", "ours", "100", "0", "0", "0", "1", "1/1"]
    assert rows[2] == ["panic", "nmi", "7.3", "kasan", "ours", "2", "0", "1", "0", "4", "1/2"]
    assert rows[3] == ["all", "7.3", "kasan", "ours", "102", "0", "1", "0", "5", "2/3"]
    assert failures(records) == [f"7.3-kasan-ours: {line(LOST)}"]


def test_reports_are_shown_by_kind_with_the_detectors_first() -> None:
    refused = [f"dev-pci 0000:00:0{n}.0: refused: -16" for n in range(8)]
    races = [
        "BUG: KCSAN: data-race in a+0x1c/0x40 / b+0x2/0x40",
        "BUG: KCSAN: data-race in a+0x9/0x40 / b+0xf/0x40",
    ]
    told = line(replace(GOOD, reports=(*refused, *races)))
    assert f"10 reports: 2 times {races[0]}; 8 times {refused[0]}" in told
    odd = line(replace(GOOD, reports=tuple(f"WARNING: {word}" for word in "stuvwx")))
    assert "; 1 times WARNING: v; 2 more kinds" in odd


def test_families_are_what_names_begin_with() -> None:
    assert family_of("panic in-store #7") == "panic in-store"
    assert family_of("load: without firmware") == "load"
