# SPDX-License-Identifier: GPL-2.0-or-later
"""A side that is a driver's C: equal to its spec, or told where it differs, or refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from gen.cli import main
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SPEC = str(ROOT / "spec" / "pvpanic.yaml")
CORE = "pvpanic.c"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    copy = tmp_path / "tree"
    shutil.copytree(ROOT / "out", copy, ignore=shutil.ignore_patterns("*.o", "*.ko", "*.cmd"))
    return copy


def diff(*words: str) -> Result:
    return CliRunner().invoke(main, ["diff", *words])


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_rendered_driver_says_what_its_spec_says(tree: Path) -> None:
    result = diff(SPEC, str(tree))
    assert (result.exit_code, result.stdout) == (0, "no change\n")


def test_a_spec_is_compared_with_c_that_differs(tree: Path) -> None:
    change(tree / CORE, ".priority = INT_MAX", ".priority = 1")
    result = diff(SPEC, str(tree), "--gate", "risky")
    assert result.exit_code == 1
    assert "risky[BEHAV_NOTIFIER_PRIORITY_CHANGED]" in result.stdout
    assert "INT_MAX became 1" in result.stdout
    assert result.stdout.startswith(f"{tree / CORE}:")
    assert result.stdout.splitlines()[-1] == "1 risky"


def test_two_trees_are_compared_both_ways(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tree, other)
    change(other / "uapi" / "misc" / "pvpanic.h", "_BITUL(2)", "_BITUL(3)")
    told = "event[shutdown].bit: {} became {}"
    assert told.format(2, 3) in diff(str(tree), str(other)).stdout
    assert told.format(3, 2) in diff(str(other), str(tree)).stdout


def test_trees_have_witnesses(tree: Path) -> None:
    change(tree / "pvpanic-pci.c", "0x0011", "0x0012")
    change(tree / "pvpanic.c", "DEVICE_ATTR_RW(events)", "DEVICE_ATTR_ADMIN_RW(events)")
    change(tree / "Kconfig", "depends on PCI && PVPANIC", "depends on PCI && PVPANIC && X86")
    told = diff(SPEC, str(tree)).stdout
    assert "- pci:v00001B36d00000011sv*sd*bc*sc*i* pvpanic-pci" in told
    assert "+ pci:v00001B36d00000012sv*sd*bc*sc*i* pvpanic-pci" in told
    assert "+ -rw------- /sys/bus/pci/drivers/pvpanic-pci/.../events" in told
    assert "- CONFIG_PVPANIC_PCI=m\n    + # CONFIG_PVPANIC_PCI is not set" in told
    (tree / "Kconfig").unlink()
    assert "CONFIG_" not in diff(SPEC, str(tree)).stdout


def test_a_driver_that_stops_asking_the_device(tree: Path) -> None:
    change(tree / CORE, "ioread8(base) & PVPANIC_KNOWN_EVENTS", "PVPANIC_KNOWN_EVENTS")  # fmt: skip
    assert "break[HOST_CAPABILITY_NEGOTIATION_REMOVED]" in diff(SPEC, str(tree)).stdout
    assert "compatible[HOST_CAPABILITY_NEGOTIATION_ADDED]" in diff(str(tree), SPEC).stdout


def test_a_driver_in_another_module(tree: Path) -> None:
    (tree / "pvpanic-pci.c").rename(tree / "pvpanic-extra.c")
    text = (
        (tree / "Makefile").read_text(encoding="utf-8").replace("pvpanic-pci.o", "pvpanic-extra.o")
    )
    (tree / "Makefile").write_text(text, encoding="utf-8")
    told = diff(SPEC, str(tree)).stdout
    assert "break[AUTOLOAD_DRIVER_MOVED]" in told
    assert "frontend[pvpanic-pci].module: pvpanic-pci became pvpanic-extra" in told
    assert "+ pci:v00001B36d00000011sv*sd*bc*sc*i* pvpanic-extra" in told


@pytest.mark.parametrize("lost", ["uapi/misc/pvpanic.h", "pvpanic-pci.c", "pvpanic.h"])
def test_what_could_not_be_read_is_not_said_to_be_gone(tree: Path, lost: str) -> None:
    (tree / lost).write_bytes(b"\0")
    for sides in ((SPEC, str(tree)), (str(tree), SPEC)):
        result = diff(*sides)
        assert result.exit_code in {0, 3}
        assert not [line for line in result.stdout.splitlines() if "DELETED]" in line]


def test_what_one_side_does_not_tell_is_no_change(tree: Path) -> None:
    (tree / "Kconfig").unlink()
    result = diff(SPEC, str(tree))
    assert result.exit_code == 0
    said = result.stdout.splitlines()
    assert said[-1] == f"no change in what could be read: {len(said) - 1} things unknown"
    assert f"{tree / CORE}:1:1: note: unknown, so not compared: kconfig: no symbol" in result.stdout


def test_what_is_not_known_does_not_pass_a_gate(tree: Path) -> None:
    assert diff(SPEC, str(tree), "--gate", "doc").exit_code == 0
    core = tree / CORE
    core.write_bytes(core.read_bytes()[:3000])
    result = diff(SPEC, str(tree), "--gate", "break")
    assert result.exit_code == 3
    assert "whether a change is as bad as break is not known" in result.stderr
    change(tree / "uapi" / "misc" / "pvpanic.h", "_BITUL(2)", "_BITUL(3)")
    assert diff(SPEC, str(tree), "--gate", "break").exit_code == 1


def test_every_format_says_what_is_not_known(tree: Path) -> None:
    (tree / "Makefile").unlink()
    what, at = "frontend[pvpanic-pci].kconfig", "pvpanic-pci.c"
    told = diff(SPEC, str(tree), "--format", "markdown").stdout
    assert told.startswith("**Contract: no change in what could be read: ")
    assert f"* `{what}`: " in told.split("<details><summary>Unknown, so not compared</summary>")[1]
    data = json.loads(diff(SPEC, str(tree), "--format", "json").stdout)
    schema = json.loads((ROOT / "gen/diff/report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(data)
    assert data["complete"] is False
    (one,) = [one for one in data["unknown"] if one["path"] == what]
    assert one["side"] == "new"
    assert one["place"]["path"].endswith(at)
    (run,) = json.loads(diff(SPEC, str(tree), "--format", "sarif").stdout)["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    notes = invocation["toolExecutionNotifications"]
    assert [note for note in notes if what in note["message"]["text"]]
    lines = diff(SPEC, str(tree), "--format", "github").stdout.splitlines()
    assert len(lines) == len(data["unknown"])
    assert all(line.startswith("::notice file=") for line in lines)


def test_an_annotation_spells_a_line_feed_as_c_does(tree: Path) -> None:
    change(tree / CORE, '"%x\\n", pi->capability', '"%#x\\n", pi->capability')
    told = diff(str(ROOT / "out"), str(tree), "--format", "github").stdout
    assert "%25x\\n became %25#x\\n" in told
    assert "%0A" not in told


def test_a_conflict_in_c_is_named_at_its_place(tree: Path) -> None:
    change(tree / CORE, "MODULE_LICENSE", "<<<<<<< HEAD\nMODULE_LICENSE")
    result = diff(SPEC, str(tree))
    assert (result.exit_code, result.stdout) == (3, "")
    assert ":1: error[PARSE001]: a merge conflict is not resolved here" in result.stderr


def test_what_comes_is_told_though_macros_stand_in_a_header_that_is_not_there(
    tmp_path: Path,
) -> None:
    """As where drivers/misc/pvpanic is given alone, without include/uapi."""
    old, new = tmp_path / "old", tmp_path / "new"
    for place, words in ((old, ("--as-of", "6.1")), (new, ())):
        made = CliRunner().invoke(main, ["gen", "--kernel", "6.1", "--out", str(place), *words])
        assert made.exit_code == 0
        shutil.rmtree(place / "uapi")
        change(place / CORE, '"uapi/misc/pvpanic.h"', "<misc/pvpanic.h>")
    added, removed = (
        diff(*map(str, sides), "--gate", "risky") for sides in ((old, new), (new, old))
    )
    assert (added.exit_code, removed.exit_code) == (1, 1)
    assert "risky[BEHAV_SYSOFF_ADDED]" in added.stdout
    assert "risky[BEHAV_SYSOFF_REMOVED]" in removed.stdout
    assert "HOST_BIT" not in added.stdout + removed.stdout
    assert diff(str(old), str(old), "--gate", "break").exit_code == 3


@pytest.mark.parametrize(
    ("release", "status", "message"),
    [("@6.1", 3, "no C file here"), ("@9.9", 2, "9.9"), ("@99", 2, "'99' is no release")],
)
def test_a_directory_that_cannot_be_read(
    tmp_path: Path, release: str, status: int, message: str
) -> None:
    result = diff(SPEC, f"{tmp_path}{release}")
    assert result.exit_code == status
    assert message in result.stderr
    assert result.stdout == ""


def test_words_that_name_no_side(tree: Path, tmp_path: Path) -> None:
    result = diff(SPEC, str(tree / CORE))
    assert (result.exit_code, "is C; name the directory of its driver" in result.stderr) == (
        2,
        True,
    )
    result = diff(f"{SPEC}@9", SPEC)
    assert (result.exit_code, "'9' is no release" in result.stderr) == (2, True)
    baseline = tmp_path / "accepted.yaml"
    baseline.write_text("baseline: 1\n<<<<<<< HEAD\nfindings: []\n", encoding="utf-8")
    result = diff(SPEC, SPEC, "--baseline", str(baseline))
    assert result.exit_code == 2
    assert f"{baseline}:2:1: error[YAML001]: a merge conflict is not resolved" in result.stderr


def test_hunks_need_two_specs(tree: Path) -> None:
    result = diff(SPEC, str(tree), "--rendered")
    assert result.exit_code == 2
    assert "read out of C" in result.stderr


def test_drivers_of_two_buses_may_have_one_name() -> None:
    """As before there were frontends; both are called `bell`."""
    tree = f"{ROOT / 'tests/execution/single'}@6.1"
    assert "\nno change in what could be read: " in diff(tree, tree).stdout


def test_a_directory_of_a_revision(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    ):
        monkeypatch.setenv(name, "me@dev.example")
    monkeypatch.chdir(tree.parent)
    for words in (["init", "-q"], ["add", "tree"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *words], check=True)
    assert diff("HEAD:tree", "tree").stdout == "no change\n"
    change(tree / CORE, ".priority = INT_MAX", ".priority = 1")
    result = diff("HEAD:tree", "tree")
    assert result.stdout.startswith(f"tree/{CORE}:")
    assert f"\nHEAD:tree/{CORE}:" in result.stdout
    # An annotation needs the path in the work tree.
    (line,) = diff("tree", "HEAD:tree", "--format", "github").stdout.splitlines()
    assert line.startswith(f"::warning file=tree/{CORE},")
    monkeypatch.chdir(tree)
    assert diff("HEAD:.", ".").stdout.endswith("\n1 risky\n")
    (tree / "pvpanic-pci.c").unlink()
    (tree / "pvpanic-pci.c").symlink_to(CORE)
    for words in (["add", "-A"], ["commit", "-q", "-m", "link"]):
        subprocess.run(["git", *words], check=True)
    assert "it is a symbolic link" in diff("HEAD~1:.", "HEAD:.").stdout
    # What one side leaves unknown is annotated at a path of the work tree, whichever side it is.
    for sides in (("HEAD~1:.", "HEAD:."), ("HEAD:.", "HEAD~1:.")):
        lines = diff(*sides, "--format", "github").stdout.splitlines()
        assert lines
        files = [line.partition(" file=")[2].partition(",")[0] for line in lines]
        assert [file for file in files if not (tree / file).exists()] == []
    result = diff("HEAD:nowhere", ".")
    assert (result.exit_code, result.stdout) == (2, "")
    result = diff("HEAD:../x")
    assert (result.exit_code, "has no file ../x" in result.stderr) == (2, True)
