# SPDX-License-Identifier: GPL-2.0-or-later
"""How mutants are judged, shown with findings that a test makes up, and the bar held for real."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from gen.diagnostics import Diagnostic
from gen.source import Source
from tests.conftest import ROOT
from tests.mutants import judge
from tests.mutants.catalogue import subjects
from tests.mutants.judge import Baseline, Subject, Verdict
from tests.mutants.operators import OPERATORS, Mutant, of_operator
from tests.mutants.report import rate

if TYPE_CHECKING:
    from pathlib import Path

(OURS,) = subjects("ours")
SILENT = Baseline(Counter(), ())


def _mutant(name: str) -> Mutant:
    return of_operator(OURS.driver, OPERATORS[name])[0]


def _say(monkeypatch: pytest.MonkeyPatch, *said: tuple[str, str]) -> None:
    """Let the checker say rules at the first line that has a text."""

    def findings(subject: Subject, directory: Path) -> list[Diagnostic]:
        assert subject is OURS
        found = []
        for rule, text in said:
            for path in directory.rglob("*.c"):
                source = Source(str(path), path.read_text(encoding="utf-8"))
                if text in source.text:
                    found.append(Diagnostic(rule, rule, source.place(source.text.index(text))))
                    break
        return found

    monkeypatch.setattr(judge, "findings", findings)


def _verdict(name: str, directory: Path, before: Baseline = SILENT) -> Verdict:
    place = judge.unpack(OURS.driver, directory)
    return judge.judge(OURS, _mutant(name), place, before).verdict


def test_silence_is_survival(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _say(monkeypatch)
    assert _verdict("gate-inverted", tmp_path) is Verdict.SURVIVED


def test_the_right_rule_in_the_changed_function_kills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _say(monkeypatch, ("SPEC009", "iowrite8("))
    assert _verdict("gate-inverted", tmp_path) is Verdict.KILLED


@pytest.mark.parametrize(("rule", "text"), [("SPEC009", "kstrtouint("), ("KERN126", "iowrite8(")])
def test_another_place_or_another_rule_is_an_accident(
    rule: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _say(monkeypatch, (rule, text))
    assert _verdict("gate-inverted", tmp_path) is Verdict.ACCIDENT


def test_what_is_said_of_the_driver_anyway_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _say(monkeypatch, ("SPEC009", "iowrite8("))
    before = Baseline(Counter({("SPEC009", "SPEC009"): 1}), ())
    assert _verdict("gate-inverted", tmp_path, before) is Verdict.SURVIVED


def test_a_harmless_mutant_is_none_of_these(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _say(monkeypatch)
    assert _verdict("kmalloc-for-kzalloc", tmp_path) is Verdict.EQUIVALENT


def test_the_copy_is_as_before_afterwards(tmp_path: Path) -> None:
    place = judge.unpack(OURS.driver, tmp_path)
    judge.judge(OURS, _mutant("wrong-bar"), place, SILENT)
    for file in OURS.driver.files:
        assert (place / file.path).read_text(encoding="utf-8") == file.text


def _harness(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.mutants", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_one_operator_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.json"
    run = _harness("--driver", "ours", "--operator", "drop-sentinel", "--json", str(file))
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"drop-sentinel +5 +5 +0 +0 +0  KERN126 5", run.stdout)
    data = json.loads(file.read_text())
    assert data["rate"] == 1.0
    assert {item["verdict"] for item in data["mutants"]} == {"killed"}


def test_an_unknown_operator_is_wrong_usage() -> None:
    assert _harness("--driver", "ours", "--operator", "no-such-mistake").returncode == 2


def test_a_share_without_mutants_is_nothing() -> None:
    assert rate([]) == 0.0


@pytest.mark.kbuild
def test_the_checker_names_nearly_every_mistake_in_both_drivers() -> None:
    run = _harness("--driver", "both", "--jobs", str(os.cpu_count() or 1))
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr
