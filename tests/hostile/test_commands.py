# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands are argument lists: no shell between pvgen and what it starts."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = sorted(path for room in ("gen", "checks") for path in (ROOT / room).rglob("*.py"))
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
