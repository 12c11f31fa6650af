# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be played where, what shares a boot, and how outcomes are told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gen.lab.board import PC, VIRT, Board
from gen.lab.guest import GuestFiles
from gen.lab.machine import Attached, Machine, Preset, command
from gen.lab.outcome import as_json, exit_status, summary, table
from gen.lab.runner import groups
from gen.lab.scenario import Check, Outcome, Verdict
from gen.lab.stories import all_scenarios, memory
from tests.lab.devices import bench

MADE_UP = "tests/spec/acme_watch.yaml"


def test_names_are_unique_and_titles_differ() -> None:
    scenarios = all_scenarios(bench())
    assert len({s.name for s in scenarios}) == len(scenarios)
    assert len({s.title for s in scenarios}) == len(scenarios)


def test_a_recent_qemu_shows_everything() -> None:
    assert [s.name for s in all_scenarios(bench()) if s.obstacle] == []


def test_an_older_qemu_cannot_show_the_newer_event() -> None:
    obstacles = {s.name: s.obstacle for s in all_scenarios(bench("7.2")) if s.obstacle}
    assert obstacles
    assert all(name.startswith("power-off") for name in obstacles)
    for obstacle in obstacles.values():
        assert obstacle.verdict is Verdict.UNAVAILABLE
        assert obstacle.reason == "GUEST_PVSHUTDOWN needs QEMU 9.1, this is 7.2"


def test_an_old_qemu_lacks_a_whole_device() -> None:
    obstacle = {s.name: s.obstacle for s in all_scenarios(bench("5.2"))}
    assert obstacle["panic-platform"] is None
    assert obstacle["panic-pci"] is not None
    assert obstacle["panic-pci"].reason == "pvpanic-pci needs QEMU 6.0, this is 5.2"


def test_a_device_that_qemu_does_not_have_is_not_applicable() -> None:
    for scenario in all_scenarios(bench(name=MADE_UP)):
        if scenario.name != "no-device":
            assert scenario.obstacle is not None, scenario.name
            assert scenario.obstacle.verdict is Verdict.INAPPLICABLE


def test_scenarios_share_a_boot_only_with_equals() -> None:
    scenarios = all_scenarios(bench())
    boots = groups(scenarios)
    assert sorted(s.name for boot in boots for s in boot) == sorted(s.name for s in scenarios)
    assert any(len(boot) > 1 for boot in boots)
    for boot in boots:
        assert len(boot) == 1 or not any(s.ends for s in boot)
        assert all(s.machine == boot[0].machine for s in boot)


def test_the_command_line_of_qemu() -> None:
    machine = Machine(
        devices=(
            Attached("a", "thing", "isa"),
            Attached("b", "thing-pci", "pci", "mask", 0),
            Attached("b", "thing-pci", "pci"),
        ),
        append=("more",),
        firmware=False,
        ports=1,
        presets=(Preset(0x1000, 7),),
    )
    files = GuestFiles(Path("k"), Path("i"), Path("c"))
    words = command(
        PC, machine, files, monitor=5, channel=6, log=Path("log"), trace=(Path("trace"), "event"),
        firmware=["-acpitable", "file=t.aml"],
    )  # fmt: skip
    devices = [words[index + 1] for index, word in enumerate(words) if word == "-device"]
    assert devices == [
        "thing",
        "thing-pci,bus=pcie.0,addr=0x8,mask=0",
        "thing-pci,bus=pcie.0,addr=0x9",
        "pcie-root-port,id=port0,bus=pcie.0,chassis=1,slot=1,addr=0xa",
        "loader,addr=0x1000,data=7,data-len=1",
    ]
    assert words[words.index("-initrd") + 1] == "i"
    assert words[words.index("-acpitable") + 1] == "file=t.aml"
    assert words[words.index("-append") + 1].endswith("acpi=off more")


@pytest.mark.parametrize(
    ("board", "declared"),
    [(PC, 'Name (_HID, "QEMU0001")'), (VIRT, 'compatible = "qemu,pvpanic-mmio"')],
    ids=lambda value: getattr(value, "architecture", ""),
)
def test_firmware_declares_each_block_with_the_name_of_the_spec(
    board: Board, declared: str
) -> None:
    good, odd = memory.scenarios(replace(bench(), board=board))
    for scenario, blocks in ((good, 3), (odd, 8 if board is PC else 6)):
        text = scenario.machine.described or ""
        assert text.count(declared) == blocks
        assert all(f"{preset.address:#x}" in text for preset in scenario.machine.presets)


def test_a_board_plays_what_it_has() -> None:
    here = {s.name: s.obstacle for s in all_scenarios(replace(bench(), board=VIRT))}
    assert here["panic-pci"] is here["power-off"] is here["memory-resource"] is None
    absent = {name: obstacle.reason for name, obstacle in here.items() if obstacle}
    assert "for the arm64 board" in absent.pop("panic-platform")
    assert "masked" in absent.pop("panic-nmi")
    assert all("kexec" in reason for reason in absent.values())
    assert len(absent) == 3


PASSED = Outcome("good", "t", Verdict.PASS, (Check("what", "1", "1", main=True),))
FAILED = Outcome(
    "bad", "t", Verdict.FAIL, (Check("what", "1", "2"), Check("else", "3", "3")), log=Path("/kept")
)
LACKING = Outcome("new", "t", Verdict.UNAVAILABLE, reason="needs QEMU 99.0")
BROKEN = Outcome("lost", "t", Verdict.ERROR, reason="QEMU ended")
FOREIGN = Outcome("other", "t", Verdict.INAPPLICABLE, reason="no such frontend")


@pytest.mark.parametrize(
    ("outcomes", "allow", "status"),
    [
        ([PASSED], False, 0),
        ([PASSED, FOREIGN], False, 0),
        ([PASSED, LACKING], False, 3),
        ([PASSED, LACKING], True, 0),
        ([LACKING], True, 3),
        ([FOREIGN], False, 3),
        ([], False, 3),
        ([PASSED, BROKEN], True, 3),
        ([PASSED, BROKEN, FAILED, LACKING], True, 1),
    ],
)
def test_exit_status(outcomes: list[Outcome], allow: bool, status: int) -> None:
    assert exit_status(outcomes, allow_unavailable=allow) == status


def test_the_table_shows_expected_and_seen() -> None:
    lines = table([PASSED, FAILED, LACKING], colour=False).splitlines()
    assert lines[0].split() == ["SCENARIO", "VERDICT", "WHAT", "EXPECTED", "SEEN"]
    assert lines[1].split() == ["good", "pass", "what", "1", "1"]
    assert lines[2].split() == ["bad", "FAIL", "what", "1", "2"]
    assert lines[3].split() == ["1", "more", "as", "expected"]
    assert "needs QEMU 99.0" in lines[4]
    assert lines[5] == "bad: console log in /kept/console.log"
    assert lines[6] == "3 scenarios: 1 pass, 1 FAIL, 1 UNAVAILABLE; 3 checks"


def test_what_failed_is_shown_whole_and_what_passed_is_cut() -> None:
    long = "x" * 200
    passed = Outcome("p", "t", Verdict.PASS, (Check(long, long, long, main=True),))
    failed = Outcome("f", "t", Verdict.FAIL, (Check("w", "e", long),))
    assert long not in table([passed], colour=False)
    assert long in table([failed], colour=False)


def test_json_has_every_check() -> None:
    document = json.loads(as_json([PASSED, FAILED, LACKING], bench(), "6.1"))
    assert document["kernel"] == "6.1"
    assert [s["verdict"] for s in document["scenarios"]] == ["pass", "fail", "unavailable"]
    assert [c["passed"] for c in document["scenarios"][1]["checks"]] == [False, True]


def test_summary_of_nothing() -> None:
    assert summary([]) == "0 scenarios: none; 0 checks"
