# SPDX-License-Identifier: GPL-2.0-or-later
"""The hook and the workflow of docs/diff.md, run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.conftest import ROOT
from tests.diff.test_command import AFTER, ENVIRONMENT, run
from tests.diff.test_scenarios import BASE

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "docs/diff.md").read_text(encoding="utf-8")
FINE = BASE.replace("A panic.", "A kernel's panic.")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return str(found)


def git(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(place, "git", "-c", "user.name=n", "-c", "user.email=e@dev.example", *words)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one commit, and pvgen where the document has it."""
    work = tmp_path / "work"
    (work / "spec").mkdir(parents=True)
    tool = work / ".venv/bin/pvgen"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m gen.cli "$@"\n', encoding="utf-8")
    tool.chmod(0o755)
    (work / "spec/dev.yaml").write_text(BASE, encoding="utf-8")
    git(work, "init", "-q", "-b", "main")
    return work


def stage(work: Path, staged: str, disk: str) -> subprocess.CompletedProcess[str]:
    spec = work / "spec/dev.yaml"
    spec.write_text(staged, encoding="utf-8")
    git(work, "add", "spec")
    spec.write_text(disk, encoding="utf-8")
    return git(work, "commit", "-qm", "more")


def test_the_hook_judges_what_is_staged(work: Path) -> None:
    hook = work / ".git/hooks/pre-commit"
    hook.write_text(block("sh"), encoding="utf-8")
    hook.chmod(0o755)
    assert stage(work, BASE, AFTER).returncode == 0, "the first commit has nothing to compare with"
    done = stage(work, AFTER, BASE)
    assert done.returncode == 1
    assert "HOST_BAR_CHANGED" in done.stdout + done.stderr
    git(work, "reset", "-q")
    assert stage(work, FINE, AFTER).returncode == 0
    (work / "other").touch()
    git(work, "add", "other")
    assert git(work, "commit", "-qm", "other").returncode == 0, "no spec is staged"
    assert stage(work, "spec: [", BASE).returncode == 1


@pytest.mark.parametrize(
    "how",
    ["git rm -q spec/dev.yaml", "git mv spec/dev.yaml dev.yaml",
     "mv spec/dev.yaml a.yaml; ln -s ../a.yaml spec/dev.yaml"],
    ids=["deleted", "moved", "link"],
)  # fmt: skip
def test_the_hook_refuses_a_spec_that_goes(work: Path, how: str) -> None:
    hook = work / ".git/hooks/pre-commit"
    hook.write_text(block("sh"), encoding="utf-8")
    hook.chmod(0o755)
    assert stage(work, BASE, BASE).returncode == 0
    run(work, "sh", "-c", f"{how}; git add .")
    done = git(work, "commit", "-qm", "gone")
    assert done.returncode == 1
    assert "pvgen: " in done.stderr


def test_the_hook_looks_at_nothing_but_the_index(work: Path) -> None:
    hook = work / ".git/hooks/pre-commit"
    hook.write_text(block("sh"), encoding="utf-8")
    hook.chmod(0o755)
    assert stage(work, BASE, BASE).returncode == 0
    (work / "spec/wip.yaml").write_text("spec: [", encoding="utf-8")
    assert stage(work, FINE, FINE).returncode == 0, "a new spec is none that changes"
    git(work, "rm", "-q", "spec/wip.yaml")
    git(work, "commit", "-qnm", "one again")
    (work / "spec/dev.yaml").write_text(AFTER, encoding="utf-8")
    git(work, "add", "spec/dev.yaml")
    (work / "spec/dev.yaml").unlink()
    (work / "spec/untracked.yaml").write_text("spec: [", encoding="utf-8")
    done = git(work, "commit", "-qm", "gone")
    assert (done.returncode, "HOST_BAR_CHANGED" in done.stdout + done.stderr) == (1, True)


def test_the_workflow_annotates_and_fails(work: Path, tmp_path: Path) -> None:
    steps = yaml.safe_load(block("yaml"))["jobs"]["diff"]["steps"]
    commands = [step["run"] for step in steps if "pvgen" in step.get("run", "")]
    summary = tmp_path / "summary"
    environment = ENVIRONMENT | {"GITHUB_BASE_REF": "main", "GITHUB_STEP_SUMMARY": str(summary)}
    git(work, "add", "spec")
    git(work, "commit", "-qm", "one")
    git(work, "remote", "add", "origin", ".")
    git(work, "checkout", "-q", "-b", "topic")
    git(work, "fetch", "-q", "origin")
    for text, status in ((FINE, 0), (AFTER, 1)):
        stage(work, text, text)
        done = [subprocess.run(["sh", "-c", command], cwd=work, env=environment, check=False,
                               capture_output=True, text=True) for command in commands]  # fmt: skip
        assert [one.returncode for one in done] == [0, status], done
    assert done[-1].stdout.startswith("::error file=spec/dev.yaml,line=61,col=10,")
    assert "The registers are in another BAR" in summary.read_text(encoding="utf-8")
