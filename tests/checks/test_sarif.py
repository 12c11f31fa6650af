# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of report of `pvgen check` is SARIF 2.1.0 by the standard's own schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from checks.command import check
from tests.checks.trees import OUT, SPEC, change, copy
from tests.sarif import validated

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PRIORITY = ("vmbell.c", ".priority = 3 * 4", ".priority = 1")


def _sarif(*arguments: str, spec: Path = SPEC) -> dict[str, Any]:
    words = ["--spec", str(spec), "--format", "sarif", *arguments]
    return validated(CliRunner().invoke(check, words).stdout)


def test_a_report_without_findings() -> None:
    run = _sarif(str(OUT), spec=OUT.parent / "spec" / "pvpanic.yaml")
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_a_report_with_findings_and_related_places(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    change(tree, *PRIORITY)
    (result,) = _sarif(str(tree))["results"]
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "the spec says so here"
    assert result["suppressions"] == []


def test_a_report_with_suppressions(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    mark = "\t/* pvgen: allow SPEC025 because the others can wait */\n\t.priority = 1"
    change(tree, "vmbell.c", "\t.priority = 3 * 4", mark)
    (inside,) = _sarif(str(tree))["results"]
    assert [one["kind"] for one in inside["suppressions"]] == ["inSource"]
    change(tree, "vmbell.c", mark, "\t.priority = 1")
    words = ["--spec", str(SPEC), "--write-baseline", "--reason", "old", str(tree)]
    assert CliRunner().invoke(check, words).exit_code == 0
    (outside,) = _sarif(str(tree))["results"]
    assert [one["kind"] for one in outside["suppressions"]] == ["external"]
    assert outside["suppressions"][0]["justification"] == "old"


@pytest.mark.parametrize(
    "text",
    [b"", b"\0", b"\xff\xfe", b"int x = {", b"#error no\n", b"\n\n\t\n", b'#include "\x7f"\n'],
)
def test_a_report_about_what_cannot_be_read(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "drïver 100%: a?b#c.c"
    path.write_bytes(text)
    _sarif(str(path))
    _sarif(str(path), str(tmp_path / "nobody.c"))
    empty = tmp_path / "empty"
    empty.mkdir()
    run = _sarif(str(empty))
    assert run["invocations"] == [{"executionSuccessful": False}]
