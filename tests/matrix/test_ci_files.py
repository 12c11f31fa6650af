# SPDX-License-Identifier: GPL-2.0-or-later
"""The files in docs/ci: valid for the services that read them, and with every row."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GITHUB = ROOT / "docs/ci/github-matrix.yml"
GITLAB = ROOT / "docs/ci/gitlab-matrix.yml"


def validate(schema: str, file: Path) -> subprocess.CompletedProcess[str]:
    words = ["-m", "check_jsonschema", "--builtin-schema", schema]
    if "gitlab" in schema:
        words += ["--data-transform", "gitlab-ci"]
    return subprocess.run(
        [sys.executable, *words, file], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("schema", "file", "word"),
    [
        ("vendor.github-workflows", GITHUB, "timeout"),
        ("vendor.gitlab-ci", GITLAB, "artifacts"),
    ],
)
def test_the_files_are_valid_and_the_schema_can_say_no(
    schema: str, file: Path, word: str, tmp_path: Path
) -> None:
    run = validate(schema, file)
    assert run.returncode == 0, run.stdout + run.stderr
    broken = tmp_path / file.name
    broken.write_text(file.read_text().replace(word, word[::-1]))
    assert validate(schema, broken).returncode == 1


@pytest.mark.parametrize(
    ("command", "job", "variable"),
    [("matrix", "matrix", "ROW"), ("differential", "differential", "SERIES")],
)
def test_gitlab_has_what_the_command_lists(command: str, job: str, variable: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "gen.cli", command, "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (entry,) = yaml.safe_load(GITLAB.read_text())[job]["parallel"]["matrix"]
    assert entry[variable] == json.loads(run.stdout)
