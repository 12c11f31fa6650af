# SPDX-License-Identifier: GPL-2.0-or-later
"""`.ci/setup` makes what is missing, nothing twice, and mends what an interruption left."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.frontdoor.machine import CI, Machine

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

# A Python whose pip only notes what it was asked for, and fails where `$FAKE/offline` exists.
PYTHON = """
case "$1 $2" in
"-V "*) echo "Python 3.11.9" ;;
"-c "*) [ ! -f "$FAKE/too-old" ] ;;
"-m venv")
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    [ ! -f "$FAKE/interrupted" ] || exit 1
    echo "#!$(cd "$3" && pwd)/bin/python" >"$3/bin/pip"
    echo venv >>"$FAKE/log" ;;
"-m pip")
    [ "$3" != -V ] || exit 0
    [ ! -f "$FAKE/offline" ] || { echo "no route to the index" >&2; exit 1; }
    for word; do :; done
    echo "pip $word" >>"$FAKE/log" ;;
esac
"""


@pytest.fixture
def project(machine: Machine, tmp_path: Path) -> Path:
    """What of the project the script uses, in a directory of its own."""
    directory = tmp_path / "project"
    shutil.copytree(CI, directory / ".ci")
    for name in ("pyproject.toml", "requirements.lock", "requirements-build.lock"):
        (directory / name).write_text(name)
    (directory / "requirements-dev.lock").write_text("dev")
    machine.tool("python3", PYTHON)
    machine.environment["PYTHON"] = str(machine.home / "bin/python3")
    return directory


def setup(machine: Machine, project: Path, goal: str) -> subprocess.CompletedProcess[str]:
    return machine.run(str(project / ".ci/setup"), goal)


def test_makes_what_gen_needs_and_nothing_twice(machine: Machine, project: Path) -> None:
    result = setup(machine, project, "gen")
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines() == [
        "==> making the virtual environment .venv (Python 3.11.9)",
        "==> installing what requirements.lock pins",
    ]
    done = ["venv", "pip requirements.lock", "pip ."]
    assert machine.log() == done
    again = setup(machine, project, "gen")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert machine.log() == done


def test_takes_up_where_it_was_interrupted(machine: Machine, project: Path) -> None:
    (machine.home / "offline").touch()
    result = setup(machine, project, "gen")
    assert result.returncode == 3
    assert "no route to the index" in result.stderr
    assert "pip could not install what requirements.lock pins" in result.stderr
    (machine.home / "offline").unlink()
    assert setup(machine, project, "gen").returncode == 0
    assert machine.log() == ["venv", "pip requirements.lock", "pip ."]


def test_makes_a_half_made_environment_anew(machine: Machine, project: Path) -> None:
    (machine.home / "interrupted").touch()
    assert setup(machine, project, "gen").returncode != 0
    (machine.home / "interrupted").unlink()
    assert setup(machine, project, "gen").returncode == 0
    assert machine.log() == ["venv", "pip requirements.lock", "pip ."]


def test_makes_a_moved_environment_anew(machine: Machine, project: Path) -> None:
    setup(machine, project, "gen")
    moved = project.rename(project.with_name("moved"))
    result = setup(machine, moved, "gen")
    assert result.returncode == 0
    assert machine.log().count("venv") == 2


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_follows_a_change_without_starting_over(machine: Machine, project: Path, name: str) -> None:
    setup(machine, project, "gen")
    (project / name).write_text("changed")
    assert setup(machine, project, "gen").returncode == 0
    assert machine.log() == ["venv", *["pip requirements.lock", "pip ."] * 2]


def test_asks_for_a_python_that_is_new_enough(machine: Machine, project: Path) -> None:
    (machine.home / "too-old").touch()
    machine.packages("installed", python3_venv="3.9")
    result = setup(machine, project, "gen")
    assert result.returncode == 3
    assert "Python 3.11 or newer" in result.stderr


def test_asks_for_all_packages_of_a_goal_at_once(machine: Machine, project: Path) -> None:
    (machine.home / "too-old").touch()
    machine.environment |= {"KDIR_ROOT": str(machine.home), "ARCH": "", "CROSS_COMPILE": ""}
    machine.packages("archive", gcc="12", linux_headers_amd64="6", python3_venv="3")
    result = setup(machine, project, "modules")
    assert result.returncode == 3
    assert result.stderr.splitlines()[-1].endswith(" gcc linux-headers-amd64 python3-venv")


def test_prefers_headers_of_the_running_kernel(machine: Machine, project: Path) -> None:
    machine.environment |= {"KDIR_ROOT": str(machine.home), "ARCH": "", "CROSS_COMPILE": ""}
    machine.packages("installed", gcc="12")
    (machine.home / "archive/linux-headers-9.9.9-fake").write_text("9")
    result = setup(machine, project, "modules")
    assert result.stderr.splitlines()[-1].endswith(" linux-headers-9.9.9-fake")


@pytest.mark.parametrize(("llvm", "suffix"), [("1", ""), ("-15", "-15")])
def test_asks_for_llvm_in_place_of_gcc(
    machine: Machine, project: Path, llvm: str, suffix: str
) -> None:
    tools = [f"{name}{suffix}" for name in ("clang", "lld", "llvm")]
    for name in tools:
        (machine.home / "archive" / name).write_text("1")
    machine.environment |= {"LLVM": llvm, "ARCH": "", "CROSS_COMPILE": ""}
    machine.environment["KDIR_ROOT"] = str(machine.home)
    machine.packages("installed", linux_headers_amd64="6")
    result = setup(machine, project, "modules")
    assert result.stderr.splitlines()[-1].endswith(" ".join(["recommends", *tools]))


def test_tells_of_a_wrong_kernel_before_installing(machine: Machine, project: Path) -> None:
    machine.environment["KDIR"] = str(machine.home)
    result = setup(machine, project, "modules")
    assert result.returncode == 2
    assert "not a kernel build tree" in result.stderr
    assert machine.log() == []


def test_knows_its_goals(machine: Machine, project: Path) -> None:
    result = setup(machine, project, "everything")
    assert result.returncode == 2
    assert result.stderr.startswith("usage: ")
