# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked of mainline's own drivers: changes of the spec, and which lines they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

REAL = ROOT / "spec/pvpanic.yaml"
# QEMU's own device cannot tell of these.
_NO_PCI = ('    qemu: {since: "6.0", device: pvpanic-pci, bus: pci}\n', "")
_NO_EVENT = ('    qemu: {since: "5.0", qmp: GUEST_CRASHLOADED}\n', "")
# QEMU and its kin use 1b36:0001 to 1b36:0014 and 1b36:0100; these are nobody's.
_ALSO = """\
    also:
      - vendor: {id: 0x1b36, macro: PCI_VENDOR_ID_REDHAT}
        device: {id: 0x00f1, macro: PCI_DEVICE_ID_REDHAT_TEST}
        since: "5.13"
    bar: 0
"""


@dataclass(frozen=True)
class Case:
    """Texts of the spec and what stands there instead, and the lines that come and go in mail 1.

    Without a change, the whole spec is brought to the series, else what its own release had.
    `scenarios` are those of the lab in which the change can be seen, and a panic.
    """

    name: str
    series: str
    changes: tuple[tuple[str, str], ...] = ()
    lines: frozenset[str] = frozenset()
    mails: int = 1
    swap: bool = False
    scenarios: tuple[str, ...] = ("panic-pci", "panic-platform")

    def spec(self, room: Path) -> Path:
        """The changed spec, in a file of its own."""
        text = REAL.read_text(encoding="utf-8")
        for old, new in self.changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        place = room / "changed.yaml"
        place.write_text(text, encoding="utf-8")
        return place

    def words(self, room: Path) -> list[str]:
        """The case as words of a command line."""
        if self.swap:
            return ["--kernel", self.series, "--spec", str(REAL), "--replace"]
        known = ["--was", str(REAL), "--as-of", self.series] if self.changes else []
        return ["--kernel", self.series, "--spec", str(self.spec(room)), *known]


def _edits(series: str) -> list[Case]:
    """The changes that every series with the driver's directory takes."""
    shift = "(1 << {})" if series == "6.1" else "_BITUL({})"
    end = "," if series != "7.3" else " ,"
    entry = "\t{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT, PCI_DEVICE_ID_REDHAT_TEST)"
    return [
        Case(
            "renumbered event",
            series,
            (("    bit: 1\n", "    bit: 3\n"), _NO_EVENT),
            frozenset({f"-#define PVPANIC_CRASH_LOADED\t{shift.format(1)}",
                       f"+#define PVPANIC_CRASH_LOADED\t{shift.format(3)}"}),
            scenarios=("panic-pci", "panic-platform", "attributes"),
        ),
        Case(
            "PCI id",
            series,
            (("id: 0x0011", "id: 0x00f2"), _NO_PCI),
            frozenset({"-#define PCI_DEVICE_ID_REDHAT_PVPANIC     0x0011",
                       "+#define PCI_DEVICE_ID_REDHAT_PVPANIC     0x00f2"}),
            scenarios=("panic-platform", "autoload"),
        ),
        Case(
            "further PCI id",
            series,
            (("    bar: 0\n", _ALSO),),
            frozenset({"+#define PCI_DEVICE_ID_REDHAT_TEST        0x00f1",
                       f"+{entry}{end.replace(',', '},')}"}),
            scenarios=("panic-pci", "autoload"),
        ),
        Case(
            "notifier priority",
            series,
            (("priority: INT_MAX", "priority: 100"),),
            frozenset({"-\t.priority = INT_MAX,", "+\t.priority = 100,"}),
        ),
    ]  # fmt: skip


CASES = [
    Case("power-off event", "6.1", mails=2,
         lines=frozenset({"+#define PVPANIC_SHUTDOWN\t(1 << 2)"}),
         scenarios=("power-off", "power-off-unable", "power-off-disabled",
                    "power-off-enabled-again", "power-off-unbound", "power-off-rest-bound",
                    "stores-accepted", "panic-pci", "panic-platform")),
    *_edits("6.1"),
    *_edits("6.12"),
    *_edits("7.3"),
]  # fmt: skip
_SEEN = ("panic-pci", "panic-platform", "attributes", "stores-accepted", "autoload", "reload")
SWAPS = [
    Case("replaced driver", "5.10", swap=True, mails=2, scenarios=_SEEN),
    Case("replaced driver", "6.1", swap=True, mails=2, scenarios=(*_SEEN, "power-off")),
]
