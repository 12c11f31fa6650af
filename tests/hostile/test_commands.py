# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands are argument lists, no shell between; and what surrounds a run may be odd."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gen.deb import _epoch
from gen.lab.problem import LabError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULES = sorted(path for room in ("gen", "checks") for path in (ROOT / room).rglob("*.py"))
SPEC = ROOT / "spec/pvpanic.yaml"
# git starts a pager in a shell, and what stands in for the pager does what git does.
ALLOWED = {"gen/diff/pager.py: shell=True"}
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput",
          "asyncio.create_subprocess_shell", "eval", "exec", "pickle.load", "pickle.loads",
          "yaml.unsafe_load"}  # fmt: skip


def shells(text: str) -> Iterator[str]:
    """What of a module starts a shell, or takes a text for code."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) in SHELLS:
                yield ast.unparse(node.func)
            for word in node.keywords:
                if word.arg == "shell" and ast.unparse(word.value) != "False":
                    yield f"shell={ast.unparse(word.value)}"


def test_no_module_starts_a_shell() -> None:
    assert len(MODULES) > 150
    found = {f"{path.relative_to(ROOT)}: {what}"
             for path in MODULES for what in shells(path.read_text(encoding="utf-8"))}  # fmt: skip
    assert found == ALLOWED


@pytest.mark.parametrize("text", ["os.system(x)", "subprocess.run(x, shell=True)", "eval(x)",
                                  "subprocess.run(x, shell=y)"])  # fmt: skip
def test_a_shell_would_be_found(text: str) -> None:
    assert list(shells(text))


@pytest.mark.parametrize("date", ["9" * 20, "²", "-1", "1e9", "٣", " 1", "x"])
def test_a_date_that_is_none_is_told(
    date: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"SOURCE_DATE_EPOCH": date, "DEBFULLNAME": "N", "DEBEMAIL": "n@x"}.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(LabError, match="no number of seconds"):
        _epoch(tmp_path / "spec.yaml")


def test_the_directory_one_stands_in_is_gone(tmp_path: Path) -> None:
    """A sentence, and no traceback."""
    script = f'cd "$1" && rmdir "$1" && exec "$2" -m gen.cli gen --spec {SPEC} --out x'
    place = tmp_path / "gone"
    place.mkdir()
    done = subprocess.run(
        ["sh", "-c", script, "sh", place, sys.executable], capture_output=True, text=True,
        check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode in {2, 3}, done.stderr
    assert "Traceback" not in done.stderr
