# SPDX-License-Identifier: GPL-2.0-or-later
"""Which findings count: suppressions, baselines, and what a change brings."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner

from checks.baseline import NAME
from checks.command import check
from checks.since import old_paths
from checks.tree import find_trees
from tests.checks.trees import DRIVER, SPEC, change, copy, device, run

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

WIDE = ("vmbell.c", "= ioread16(chimes)", "= ioread8(chimes)")


def _check(*arguments: str) -> Result:
    return CliRunner().invoke(check, ["--spec", str(SPEC), *arguments])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A driver with one defect: SPEC002."""
    place = copy(tmp_path)
    change(place, *WIDE)
    return place


@pytest.mark.parametrize(
    ("good", "bad", "left"),
    [
        ("= ioread8(chimes)", "= /* pvgen: allow SPEC002 because\n * x */ ioread8(chimes)", 0),
        ("\tbell->chimes =", "\t// pvgen: allow SPEC002 because a test\n\tbell->chimes =", 0),
        ("\tbell->chimes =", "// pvgen: allow SPEC001, SPEC002 because x\n\n\tbell->chimes =", 1),
        ("#include <linux/err.h>", "/* pvgen: allow SPEC002 in this file because x */", 0),
        ("\tbell->chimes =", 'char *x = "// pvgen: allow SPEC002 because x"; bell->chimes =', 1),
        ("\tbell->chimes =", "// pvgen: allow SPEC002 because x\n\tf();\n\tbell->chimes =", 2),
        ("\tbell->chimes =", "\t// pvgen: allow PARSE001 because x\n\tbell->chimes =", 2),
    ],
)  # fmt: skip
def test_a_comment_allows_its_rule_there(tree: Path, good: str, bad: str, left: int) -> None:
    change(tree, "vmbell.c", good, bad)
    report = run(tree)
    assert len([f for f in report.findings if f.rule in {"SPEC002", "CTRL401", "CTRL402"}]) == left
    suppressed = [one.finding.item.rule for one in report.suppressed]
    assert suppressed == (["SPEC002"] if "SPEC002" not in {f.rule for f in report.findings} else [])


def test_a_suppressed_finding_shows_in_every_format(tree: Path) -> None:
    change(tree, "vmbell.c", "\tbell->chimes =",
           "\t/* pvgen: allow SPEC002 because the tests say so */\n\tbell->chimes =")  # fmt: skip
    assert "no findings (1 suppressed)" in _check(str(tree)).stdout
    data = json.loads(_check("--format", "json", str(tree)).stdout)
    (one,) = data["suppressed"]
    assert one["suppression"]["reason"] == "the tests say so"
    assert data["status"] == 0
    (result,) = json.loads(_check("--format", "sarif", str(tree)).stdout)["runs"][0]["results"]
    assert result["suppressions"][0]["kind"] == "inSource"
    assert _check("--format", "github", str(tree)).stdout == ""


def test_kconfig_and_makefile_have_comments_of_their_own(tmp_path: Path) -> None:
    place = copy(tmp_path)
    change(place, "Kconfig", 'tristate "vmbell on the PCI bus"',
           '# pvgen: allow SPEC022 because x\n\tbool "vmbell on the PCI bus"')  # fmt: skip
    change(place, "Makefile", "obj-$(CONFIG_VMBELL_PCI)",
           "# pvgen: allow SPEC023 in this file because x\nobj-$(CONFIG_VMBELL)")  # fmt: skip
    report = run(place)
    assert not report.findings
    assert {one.finding.item.rule for one in report.suppressed} == {"SPEC022", "SPEC023"}


def test_a_baseline_accepts_what_it_has(tree: Path) -> None:
    assert _check("--write-baseline", str(tree)).exit_code == 2
    assert _check("--write-baseline", "--reason", "old: hardware", str(tree)).exit_code == 0
    data = yaml.safe_load((tree / NAME).read_text())
    (entry,) = data["findings"]
    assert (entry["rule"], entry["path"], entry["reason"]) == (
        "SPEC002",
        "vmbell.c",
        "old: hardware",
    )
    assert _check(str(tree)).exit_code == 0
    # Moved, it is the same finding; elsewhere, it is another.
    change(tree, "vmbell.c", "#include <linux/err.h>\n", "#include <linux/err.h>\n\n\n")
    assert _check(str(tree)).exit_code == 0
    change(tree, "vmbell-pci.c", "VMBELL_BAR, 0)", "0, 0)")
    result = _check(str(tree))
    assert result.exit_code == 1
    assert "SPEC014" in result.stdout
    assert "SPEC002" not in result.stdout
    # Written again, it keeps the reasons that it has.
    assert _check("--write-baseline", "--reason", "new", str(tree)).exit_code == 0
    reasons = [item["reason"] for item in yaml.safe_load((tree / NAME).read_text())["findings"]]
    assert sorted(reasons) == ["new", "old: hardware"]


def test_an_entry_that_accepts_nothing_is_told(tree: Path) -> None:
    _check("--write-baseline", "--reason", "x", str(tree))
    change(tree, "vmbell.c", "= ioread8(chimes)", "= ioread16(chimes)")
    result = _check(str(tree))
    assert "warning[CTRL401]" in result.stdout
    assert "SPEC002" not in result.stdout.replace("finding of SPEC002", "")
    text = (tree / NAME).read_text()
    for good, bad in (('reason: "x"', 'reason: ""'), ("rule: SPEC002", "rule: SPEC999")):
        (tree / NAME).write_text(text.replace(good, bad))
        assert "warning[CTRL402]" in _check(str(tree)).stdout


@pytest.mark.parametrize(
    "text",
    ["", "- 1\n", "baseline: 2\nfindings: []\n", "baseline: 1\nfindings:\n  - {rule: X}\n", "a: [",
     "baseline: 1\nfindings:\n  - {rule: X, fingerprint: 12}\n", "baseline: 1\n"],
)  # fmt: skip
def test_what_is_no_baseline_is_wrong_usage(tree: Path, text: str) -> None:
    (tree / "b.yaml").write_text(text)
    result = _check("--baseline", str(tree / "b.yaml"), str(tree))
    assert result.exit_code == 2
    assert result.stderr


def test_a_missing_baseline_is_wrong_usage(tree: Path) -> None:
    result = _check("--baseline", str(tree / "none.yaml"), str(tree))
    assert result.exit_code == 2
    assert "no such file" in result.stderr


def _git(place: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(place), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def work_tree(tree: Path) -> Path:
    """The same driver as the only commit of a repository."""
    _git(tree.parent, "init", "-q", ".")
    _git(tree.parent, "add", "-A")
    _git(tree.parent, "commit", "-q", "-m", "x")
    return tree


def test_since_shows_what_a_change_brings(work_tree: Path) -> None:
    assert _check(str(work_tree)).exit_code == 1
    result = _check("--since", "HEAD", str(work_tree))
    assert result.stdout.startswith("no findings")
    assert result.exit_code == 0
    change(work_tree, "vmbell.c", "\tbell->chimes =", "\n\tbell->chimes =")
    change(work_tree, "vmbell-pci.c", "VMBELL_BAR, 0)", "0, 0)")
    result = _check("--since", "HEAD", str(work_tree))
    assert result.stdout.count("error[") == 1
    assert "error[SPEC014]" in result.stdout
    assert result.exit_code == 1
    # A single file, which stands elsewhere in the repository.
    result = _check("--since", "HEAD", str(work_tree / "vmbell-pci.c"))
    assert "error[SPEC014]" in result.stdout


@pytest.mark.parametrize("part", ["", "drivers/misc", "drivers/misc/vmbell"])
def test_since_in_a_large_tree_takes_what_a_check_takes(tmp_path: Path, part: str) -> None:
    linux = tmp_path / "linux"
    home = linux / "drivers/misc/vmbell"
    shutil.copytree(DRIVER, home)
    (linux / "include").mkdir()
    (home / "uapi").rename(linux / "include/uapi")
    (home / "Documentation").rename(linux / "Documentation")
    change(home, "vmbell.c", '"uapi/misc/vmbell.h"', "<uapi/misc/vmbell.h>")
    # A helper that has none of the driver's names is no part of it, here or there.
    for number in range(700):
        (linux / "drivers/misc" / f"other{number}.c").write_text("not C {{{\n")
    _git(linux, "init", "-q", ".")
    _git(linux, "add", "-A")
    _git(linux, "commit", "-q", "-m", "x")
    with old_paths([linux / part], "HEAD", device()) as (old,):
        (was,), (now,) = find_trees([old], device()), find_trees([linux / part], device())
        assert [(file.path, file.role) for file in was.files] == [
            (file.path, file.role) for file in now.files
        ]
    assert len(now.files) == 9
    document = "Documentation/ABI/testing/sysfs-devices-vmbell"
    change(linux, document, "vmbell-pci/.../chimes", "vmbell/.../chimes")
    result = _check("--since", "HEAD", str(linux / part))
    assert "warning[SPEC024]" in result.stdout
    assert result.stdout.endswith("1 warning\n")


def test_since_knows_files_that_have_other_names(work_tree: Path) -> None:
    for number in range(700):
        (work_tree.parent / f"other{number}.c").write_text("not C {{{\n")
    for path in work_tree.glob("vmbell*.c"):
        path.rename(path.with_name(f"ring{path.name.removeprefix('vmbell')}"))
    _git(work_tree.parent, "add", "-A")
    _git(work_tree.parent, "commit", "-q", "-m", "y")
    assert "error[SPEC002]" in _check(str(work_tree)).stdout
    assert "SPEC002" not in _check("--since", "HEAD", str(work_tree)).stdout


def test_a_driver_that_the_revision_lacks_is_new(work_tree: Path) -> None:
    new = work_tree.parent / "new"
    work_tree.rename(new)
    result = _check("--since", "HEAD", str(new))
    assert "error[SPEC002]" in result.stdout
    assert "not every path is in HEAD" in result.stderr


def test_since_needs_a_revision_and_a_work_tree(work_tree: Path, tmp_path: Path) -> None:
    for revision in ("nobody", "--all", ""):
        result = _check("--since", revision, str(work_tree))
        assert result.exit_code == 2
        assert "no revision" in result.stderr
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    result = _check("--since", "HEAD", str(copy(outside)))
    assert result.exit_code == 3
    assert "not in a git work tree" in result.stderr
