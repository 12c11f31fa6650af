# SPDX-License-Identifier: GPL-2.0-or-later
"""Every rule about specs, shown by bad inputs with their exact output."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from gen.diagnostics import Diagnostics, format_text, summary
from gen.load import load_device
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.yaml"))
RULES = yaml.safe_load((ROOT / "gen" / "rules.yaml").read_text(encoding="utf-8"))


def messages(path: Path) -> Diagnostics:
    diagnostics = Diagnostics()
    device = load_device(path, diagnostics, path.name)
    assert (device is None) == bool(diagnostics.items)
    return diagnostics


def test_the_good_base_of_the_bad_inputs_loads() -> None:
    assert list(messages(HERE / "base.yaml")) == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_spec(path: Path, golden: Callable[[Path, str], None]) -> None:
    found = messages(path)
    text = "\n".join(format_text(item) for item in found)
    golden(path.with_suffix(".err"), f"{text}\n{summary(found)}\n")
    rules = {item.rule for item in found}
    expected = next((rule for rule in RULES if path.stem.startswith(rule)), None)
    if expected:
        assert rules == {expected}


def test_every_rule_has_a_bad_input() -> None:
    shown = {rule for rule in RULES for path in BAD if path.stem.startswith(rule)}
    # Not a text that could stand in a file: see test_unreadable_files.
    assert shown == set(RULES) - {"YAML006"}


def test_every_rule_of_the_code_is_described() -> None:
    pattern = re.compile(r'"((?:YAML|FORM|TEXT)[0-9]{3}|SPEC-[A-Z-]+)"')
    used = {
        rule
        for path in (ROOT / "gen").glob("*.py")
        for rule in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert used == set(RULES)


@pytest.mark.parametrize(
    ("name", "content"),
    [("missing", None), ("binary", b"\x00\xff\xfe"), ("large", b"#" * (2 << 20))],
)
def test_unreadable_files(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert [item.rule for item in messages(path)] == ["YAML006"]


def test_directories_and_devices_are_no_specs(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/zero")):
        assert [item.rule for item in messages(path)] == ["YAML006"]
