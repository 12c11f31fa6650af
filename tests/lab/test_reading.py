# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading what QEMU and the kernel say, and knowing what a store must do."""

from __future__ import annotations

import errno
import re

import pytest

from gen.lab.bench import _mask_property, submasks
from gen.lab.journal import complaints, taint
from gen.lab.present import Bound, meant, region
from gen.lab.qemu import Write, parse_writes
from gen.lab.stores import refusals, spelling, spellings
from gen.lab.stories.power import STILL_RUNNING
from tests.lab.devices import device

NAMES = ("pvpanic", "pvpanic-pci")
FINE = """\
[    1.000000] pvpanic: loading out-of-tree module taints kernel.
[    1.000001] pvpanic: module verification failed: signature missing - tainting kernel
[    1.100000] pvpanic-pci 0000:01:00.0: enabling device (0000 -> 0002)
[    1.500000] ..MP-BIOS bug: 8254 timer not connected to IO-APIC
[    2.000000] Modules linked in: pvpanic_pci(OE) pvpanic(OE)
[    2.000000] Kernel panic - not syncing: sysrq triggered crash
[    2.000000] Call Trace:
"""


def test_a_good_log_has_no_complaints() -> None:
    assert complaints(FINE, NAMES) == []


@pytest.mark.parametrize(
    "line",
    [
        "[    1.0] WARNING: CPU: 0 PID: 1 at drivers/base/core.c:1 device_del",
        "[    1.0] BUG: sleeping function called from invalid context at kernel/locking/mutex.c:1",
        "[    1.0] Oops: 0000 [#1] PREEMPT SMP",
        "[    1.0][    T1] pvpanic-pci 0000:00:08.0: no power-off handler: -EBUSY",
        "[    1.0] pvpanic: anything at all",
        "[    1.0] unreferenced object 0xffff888 (size 32):",
        "[    1.0] pvpanic_pci: Unknown symbol devm_thing (err -2)",
    ],
)
def test_complaints_are_found(line: str) -> None:
    assert len(complaints(FINE + line, NAMES)) == 1


def test_a_scenario_may_allow_what_it_provokes() -> None:
    assert complaints("[ 1.0] pvpanic: as planned", NAMES, [r"as planned$"]) == []


def test_taint_of_external_modules_is_harmless() -> None:
    assert taint(1 << 12 | 1 << 13) == ""
    assert taint(1 << 9 | 1 << 12) == "warning"
    assert taint(1 << 7 | 1 << 30) == "oops, bit 30"


def test_traced_writes() -> None:
    text = (
        "memory_region_ops_write cpu 0 mr 0x55 addr 0x505 value 0x1 size 1 name 'thing'\n"
        "memory_region_ops_read cpu 0 mr 0x55 addr 0x505 value 0x7 size 1 name 'thing'\n"
        "123@1.5:memory_region_ops_write cpu 0 mr 0x55 addr 0xfe value 0x101 size 2 name ''\n"
    )
    assert parse_writes(text) == [Write(0x505, 1, 1), Write(0xFE, 0x101, 2)]


def test_an_unusual_write_tells_its_place_and_size() -> None:
    spec = device()
    bound = Bound(spec.frontends[0], "dev", "/sys/x", 0x100, 0x10F)
    register = spec.event_register
    assert bound.wrote(Write(0x100, 1, 1), register) == "dev=0x1"
    assert bound.wrote(Write(0x101, 1, 1), register) == "dev=0x1 (8 bits at 1)"
    assert bound.wrote(Write(0x100, 1, 4), register) == "dev=0x1 (32 bits at 0)"
    assert meant(Write(0x110, 1, 1), [bound]) == bound, "the spill of a wide access"
    assert meant(Write(0x113, 1, 1), [bound]) is None
    neighbour = Bound(spec.frontends[0], "next", "/sys/y", 0x110, 0x11F)
    assert meant(Write(0x110, 1, 1), [bound, neighbour]) == neighbour


def test_a_region_is_found_by_the_name_of_its_device() -> None:
    listing = "0000-0cf7 : PCI Bus 0000:00\n  0505-0505 : ABCD0001:00\n  0510-051b : ABCD0002:00\n"
    assert region(listing, "ABCD0001:00") == (0x505, 0x505)
    start, end = region(listing, "ABCD0001:01")
    assert end < start
    tree = "50000000-50000fff : reserved\n  50000000-5000000f : 50000000.lab0 lab0@50000000\n"
    assert region(tree, "50000000.lab0") == (0x50000000, 0x5000000F)


def test_the_mask_property_is_the_one_as_wide_as_the_register() -> None:
    text = "  addr=<str>  - slot\n  events=<uint8>  -  (default: 7)\n  ioport=<uint16>\n"
    assert _mask_property(text, 8) == "events"
    assert _mask_property(text, 16) == "ioport"
    assert _mask_property(text + "  other=<uint8>\n", 8) is None
    assert _mask_property("", 8) is None


def test_submasks() -> None:
    assert submasks(0) == [0]
    assert submasks(0b1001) == [0, 1, 8, 9]


def kstrtouint(text: bytes, base: int) -> int | None:
    """What the kernel's documentation of the parser says, in Python; None for an error."""
    word = text.decode().removesuffix("\n")
    word = word.removeprefix("+")
    if not word or word[0] in "+-" or not word.isascii() or "_" in word or word != word.strip():
        return None
    if base == 0 and word[0] == "0" and word[1:].isdigit():
        base = 8
    try:
        return int(word, base)
    except ValueError:
        return None


@pytest.mark.parametrize("base", [0, 8, 10, 16])
@pytest.mark.parametrize("value", [0, 1, 7, 0x8209])
def test_every_spelling_means_the_number(value: int, base: int) -> None:
    texts = spellings(value, base)
    assert spelling(value, base).encode() in texts
    assert len(set(texts)) == len(texts)
    assert {kstrtouint(text, base) for text in texts} == {value}


@pytest.mark.parametrize("base", [0, 8, 10, 16])
@pytest.mark.parametrize("legal", [0, 3, 5, 7, 0x8209])
def test_every_refused_text_is_wrong_for_the_reason_given(legal: int, base: int) -> None:
    for bad in refusals(legal, base):
        value = kstrtouint(bad.text, base)
        if bad.errno == errno.ERANGE:
            assert value is not None
            assert value >= 1 << 32
        else:
            assert value is None or value & ~legal


def test_a_power_off_is_judged_until_the_kernel_finds_itself_still_running() -> None:
    log = (
        "[ 5.7] reboot: Power down\n[ 5.7] ------------[ cut here ]------------\n[ 5.7] WARNING: CP"
    )
    assert not complaints(re.split(STILL_RUNNING, log, flags=re.MULTILINE)[0], [], ())
    other = log + "U: 0 PID: 1 at lib/list.c:1 list_add+0x1/0x2\n[ 5.7] more\n"
    assert complaints(re.split(STILL_RUNNING, other, flags=re.MULTILINE)[0], [], ())
