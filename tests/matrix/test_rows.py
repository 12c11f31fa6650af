# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of the matrix: which there are, what comes out of them, and how they end."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from checks import matrix as rows
from checks import matrix_command
from checks.matrix import Contract, End, Play, Result, Row, exit_status, result_of, rows_of
from checks.matrix_report import as_json, table
from gen.kernel_load import load_kernels
from gen.lab.buildroot import Built
from gen.lab.problem import LabError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FULL = Row("6.1", Contract.FULL)
ARM = Row("6.12", Contract.FULL, "arm64")
PASSED = Result(
    FULL,
    steps=dict.fromkeys(rows.STEPS, End.PASS),
    release="6.1.0-9-amd64",
    warnings=0,
    passed=38,
    played=38,
    seconds=12.3,
    logs="/logs",
)
NOT_APPLICABLE = replace(PASSED, end=End.INAPPLICABLE, steps={}, reason="it had none")
FAILED = replace(PASSED, end=End.FAIL, reason="panic-pci: FAIL", passed=37)
UNANSWERED = replace(PASSED, end=End.ERROR, reason="no network")


def invoke(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(matrix_command.matrix, words)
    return result.exit_code, result.stdout, result.stderr


def test_rows_are_both_contracts_of_every_series_that_can_be_booted() -> None:
    kernels = load_kernels(ROOT / "spec/kernels").all
    names = [str(row) for row in rows_of(kernels)]
    real = [kernel.series for kernel in kernels if kernel.packages]
    plain = [f"{series}:{contract}" for series in real for contract in ("full", "as-of")]
    assert [name for name in names if name.count(":") == 1] == plain
    assert [name for name in names if name.count(":") > 1] == ["6.12:full:arm64"]
    assert len(real) < len(kernels), "some series have no packages"


def test_series_without_a_kernel_are_told_with_what_is_known_of_them() -> None:
    kernels = load_kernels(ROOT / "spec/kernels").all
    lines = rows.without_rows(kernels)
    assert [line.split()[0] for line in lines] == [k.series for k in kernels if not k.packages]
    assert all(line.endswith("unverified") for line in lines)


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([PASSED], 0),
        ([PASSED, NOT_APPLICABLE], 0),
        ([NOT_APPLICABLE], 3),
        ([PASSED, UNANSWERED], 3),
        ([UNANSWERED, FAILED], 1),
        ([], 3),
    ],
)
def test_exit_status(results: list[Result], status: int) -> None:
    assert exit_status(results) == status


@pytest.mark.parametrize(
    "result", [PASSED, replace(PASSED, row=ARM), NOT_APPLICABLE, FAILED, UNANSWERED]
)
def test_a_result_survives_json(result: Result) -> None:
    (data,) = json.loads(as_json([result]))["rows"]
    assert result_of(data) == result


def test_the_table_tells_each_row_and_why_it_did_not_pass() -> None:
    lines = table([PASSED, FAILED, NOT_APPLICABLE]).splitlines()
    assert lines[1].split() == [
        *("6.1:full", "6.1.0-9-amd64", "pass", "pass", "pass", "pass", "0", "38/38", "12", "pass"),
    ]
    assert lines[2].split()[7:] == ["37/38", "12", "FAIL"]
    assert "6.1:full: panic-pci: FAIL (logs in /logs)" in lines
    assert lines[-1] == "3 rows: 1 pass, 1 FAIL, 1 not applicable"


def test_list_leaves_out_what_does_not_apply() -> None:
    status, out, _ = invoke("--list", "--kernel", "5.10")
    assert (status, json.loads(out)) == (0, ["5.10:full"])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--row", "6.1:ful"], "no row '6.1:ful'; did you mean '6.1:full'?"),
        (["--kernel", "5.15"], "no kernel to boot for series '5.15'"),
        (["--kernel", "9.9"], "no kernel to boot for series '9.9'"),
        (["--row", "6.1:full", "--jobs", "0"], "--jobs"),
    ],
)
def test_wrong_usage(words: list[str], complaint: str) -> None:
    status, out, err = invoke(*words)
    assert (status, out) == (2, "")
    assert complaint in err


def test_a_series_without_the_driver_is_not_applicable(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    status, out, _ = invoke("--row", "5.10:as-of", "--json", str(file), "--logs", str(tmp_path))
    assert status == 3, "nothing was played"
    assert "Linux 5.10 had none of the frontends" in out
    (row,) = json.loads(file.read_text())["rows"]
    assert row["end"] == "inapplicable"


class Root:
    """A build that ends as it is told."""

    def __init__(self, log: str, *, succeeded: bool) -> None:
        self.built = Built(log, succeeded)

    def build(self, _files: Mapping[str, str], _modules: Path) -> Built:
        return self.built


def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Root) -> Result:
    monkeypatch.setattr(rows, "open_root", lambda *_: root)
    monkeypatch.setattr(Play, "_boot", lambda _self, result, _generation: result)
    return Play(FULL, ROOT / "spec/pvpanic.yaml", tmp_path / "row", lambda _: None).run()


def test_a_build_that_fails_ends_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = play(tmp_path, monkeypatch, Root("make: error\n", succeeded=False))
    assert (result.end, result.reason) == (End.FAIL, "it does not compile: build.log")
    assert result.steps == {"render": End.PASS, "check": End.PASS, "build": End.FAIL}
    assert (tmp_path / "row/build.log").read_text() == "make: error\n"


def test_a_warning_fails_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = "x.c:1:2: warning: unused\nWARNING: modpost: x\n  CC x.o\n"
    result = play(tmp_path, monkeypatch, Root(log, succeeded=True))
    assert (result.end, result.warnings) == (End.FAIL, 2)


def test_what_cannot_be_had_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Root:
        raise LabError("apt-get failed: no network")

    monkeypatch.setattr(rows, "open_root", refuse)
    result = Play(FULL, ROOT / "spec/pvpanic.yaml", tmp_path / "row", lambda _: None).run()
    assert (result.end, result.reason) == (End.ERROR, "apt-get failed: no network")


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "driver")

    monkeypatch.setattr(rows, "write", full)
    status, out, _ = invoke("--row", "6.1:full", "--logs", str(tmp_path))
    assert status == 3
    assert "6.1:full: driver: No space left on device" in out


def test_a_row_that_is_killed_leaves_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix_command, "tool", lambda _: "/bin/false")
    result = matrix_command._apart(FULL, matrix_command.How(None, tmp_path, 1, ()))
    assert result.end is End.ERROR
    assert "left no result" in result.reason
