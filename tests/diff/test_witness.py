# SPDX-License-Identifier: GPL-2.0-or-later
"""What a consumer sees of a change stands at the finding that causes it, once, and is true."""

from __future__ import annotations

from gen.diff.compare import compare
from gen.diff.markdown import as_markdown
from gen.diff.report import as_github
from tests.conftest import ROOT
from tests.diff.test_scenarios import edited, side

SPEC = (ROOT / "spec/pvpanic.yaml").read_text(encoding="utf-8")
ALIAS = "pci:v00001B36d00000011sv*sd*bc*sc*i*"
FILE = "/sys/bus/{}/drivers/{}/.../events"


def seen(*edits: list[str]) -> dict[str, dict[str, list[str]]]:
    """By rule and what is looked at: the lines with their signs."""
    found = compare(side(SPEC, "a.yaml"), side(edited(SPEC, list(edits)), "b.yaml")).findings
    told: dict[str, dict[str, list[str]]] = {}
    for one in found:
        views = told.setdefault(one.rule.id, {})
        for witness in one.witnesses:
            lines = [*(f"-{x}" for x in witness.before), *(f"+{x}" for x in witness.after)]
            views.setdefault(witness.what, []).extend(lines)
    return told


def test_a_host_that_is_there_hears_what_it_knows() -> None:
    told = seen(["bit: 2", "bit: 3"])["HOST_BIT_VALUE_CHANGED"]
    assert told == {
        "the host": ["-power-off: 0x4 GUEST_PVSHUTDOWN",
                     "+power-off: 0x8 (nothing that the host knows)"]
    }  # fmt: skip


def test_exchanged_bits_are_taken_for_each_other() -> None:
    told = seen(["bit: 0\n", "bit: X\n"], ["bit: 1\n", "bit: 0\n"], ["bit: X\n", "bit: 1\n"])
    assert told["HOST_BIT_VALUE_CHANGED"]["the host"] == [
        "-panic: 0x1 GUEST_PANICKED", "+panic: 0x2 GUEST_CRASHLOADED",
        "-crash-kernel: 0x2 GUEST_CRASHLOADED", "+crash-kernel: 0x1 GUEST_PANICKED",
    ]  # fmt: skip


def test_a_new_event_in_an_old_place_is_seen_before_and_after() -> None:
    told = seen(["name: shutdown", "name: poweroff"], ["GUEST_PVSHUTDOWN", "GUEST_POWEROFF"])
    host = ["-power-off: 0x4 GUEST_PVSHUTDOWN", "+power-off: 0x4 GUEST_POWEROFF"]
    assert told["HOST_BIT_REUSED"] == {"the host": host}
    assert told["HOST_QMP_EVENT_CHANGED"] == {}


def test_a_text_shows_nothing_of_a_mode() -> None:
    told = seen(['mode: "0644"', 'mode: "0600"'], ["A mask that is written", "What is written"])
    assert told["SPEC_TEXT_ONLY"] == {}
    assert len(told["USER_ATTR_MODE_NARROWED"]["sysfs"]) == 4


REGIONS = ["-pvpanic-pci: BAR 0", "+pvpanic-pci: BAR 1"]


def test_a_bar_shows_nothing_of_ids_and_modes() -> None:
    told = seen(["bar: 0", "bar: 1"], ['mode: "0644"', 'mode: "0600"'],
                ["id: 0x0011", "id: 0x0012"],
                ["_REDHAT_PVPANIC", "_REDHAT_X"])  # fmt: skip
    assert told["HOST_BAR_CHANGED"] == {"regions": REGIONS}
    assert told["BUILD_ID_MACRO_CHANGED"] == {}
    assert told["AUTOLOAD_PCI_ID_DELETED"] == {"module aliases": [f"-{ALIAS} pvpanic-pci"]}


def test_a_priority_shows_nothing_of_a_trigger() -> None:
    told = seen(["priority: INT_MAX", "priority: 1"], ["trigger: crash-kernel", "trigger: unused"])
    assert told["BEHAV_NOTIFIER_PRIORITY_CHANGED"] == {
        "hooks": ["-panic-notifier: priority INT_MAX", "+panic-notifier: priority 1"]
    }
    # The event of a panic is sent in its stead.
    assert told["HOST_BIT_SILENCED"]["the host"] == [
        "-crash-kernel: 0x2 GUEST_CRASHLOADED", "+crash-kernel: 0x1 GUEST_PANICKED",
    ]  # fmt: skip


def test_a_renamed_driver_is_seen_once_by_whom_it_concerns() -> None:
    told = seen(["  - name: pvpanic-pci", "  - name: pvpanic-x"], ["bar: 0", "bar: 1"])
    assert told["AUTOLOAD_MODULE_RENAMED"] == {
        "module aliases": [f"-{ALIAS} pvpanic-pci", f"+{ALIAS} pvpanic-x"]
    }
    views = told["AUTOLOAD_DRIVER_NAME_CHANGED"]
    assert views["drivers"] == [
        "-/sys/bus/pci/drivers/pvpanic-pci",
        "+/sys/bus/pci/drivers/pvpanic-x",
    ]
    assert f"+-rw-r--r-- {FILE.format('pci', 'pvpanic-x')}" in views["sysfs"]
    assert told["HOST_BAR_CHANGED"] == {"regions": REGIONS}


def test_a_renamed_device_has_another_core_module() -> None:
    told = seen(["device:\n  name: pvpanic\n", "device:\n  name: pvpanik\n"])
    assert told["AUTOLOAD_CORE_RENAMED"]["modules"] == ["-pvpanic.ko", "+pvpanik.ko"]


def test_what_went_is_annotated_at_its_place_in_the_new_file() -> None:
    after = edited(
        SPEC, [['    acpi: [QEMU0001]\n    of: ["q', '    of: ["q'], ["# QEMU's", "# q's"]]
    )
    result = compare(side(SPEC, "a.yaml"), side("\n\n" + after, "b.yaml"))
    line = after[: after.index("name: pvpanic-mmio")].count("\n") + 3
    told = as_github(result)
    assert told.startswith(f"::error file=b.yaml,line={line},")
    assert told.endswith("; who breaks: AUTOLOAD, USER")
    assert "At `a.yaml:" in as_markdown(result)
