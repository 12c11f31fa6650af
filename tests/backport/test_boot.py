# SPDX-License-Identifier: GPL-2.0-or-later
"""What is made of scenarios that fail, without booting anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from checks import backport_boot
from checks.backport_boot import Modules, Stage, boot
from gen.backport.records import BackportError
from gen.lab.scenario import Check, Outcome, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from gen.kernel import Kernel
    from gen.model import Device

BUSY = "vmbell-pci 0000:00:0a.0: cannot register: -EBUSY"


def _outcome(name: str, *seen: str) -> Outcome:
    checks = tuple(Check("complaints", "nothing", text) for text in seen)
    verdict = Verdict.FAIL if checks else Verdict.PASS
    return Outcome(name, name, verdict, checks)


def _boot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, new: list[Outcome], own: list[Outcome] | None
) -> str:
    device = cast("Device", None)
    ours, theirs = Modules(tmp_path / "new", device), Modules(tmp_path / "own", device)

    def play(modules: Modules, names: tuple[str, ...], *_: object) -> tuple[str, list[Outcome]]:
        played = new if modules is ours else own or []
        return "6.1", [one for one in played if not names or one.name in names]

    monkeypatch.setattr(backport_boot, "_play", play)
    stage = Stage(cast("Kernel", None), tmp_path, 1, lambda _: None)
    return boot(ours, theirs if own is not None else None, (), stage)


def test_all_passes_without_a_look_at_the_tree_s_own_driver(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert _boot(monkeypatch, tmp_path, [_outcome("a")], None) == "Linux 6.1: 1 scenario passes"


def test_what_failed_before_is_told_and_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = BUSY.replace("0a.0", "0f.0")
    told = _boot(monkeypatch, tmp_path, [_outcome("a"), _outcome("b", f"{BUSY} | {other}")],
                 [_outcome("b", BUSY)])  # fmt: skip
    assert told == "Linux 6.1: 1 scenario passes; b fails as with the tree's own driver"


@pytest.mark.parametrize(
    ("new", "own"),
    [
        ([_outcome("a"), _outcome("b", BUSY)], None),
        ([_outcome("a"), _outcome("b", BUSY)], [_outcome("b")]),
        ([_outcome("a"), _outcome("b", BUSY, "crash")], [_outcome("b", BUSY)]),
        ([_outcome("b", BUSY)], [_outcome("b", BUSY)]),
        ([], None),
    ],
)
def test_what_is_new_or_all_that_there_is_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, new: list[Outcome], own: list[Outcome] | None
) -> None:
    with pytest.raises(BackportError, match="not all passed"):
        _boot(monkeypatch, tmp_path, new, own)
