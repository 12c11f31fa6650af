# SPDX-License-Identifier: GPL-2.0-or-later
"""What `.ci/need` says and does about missing Debian packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frontdoor.machine import CI, Machine


@pytest.fixture
def root(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root", uid=0)


def changes(machine: Machine) -> list[str]:
    """The calls that changed something."""
    return [line for line in machine.log() if "indextargets" not in line]


def test_is_silent_when_all_is_there(machine: Machine) -> None:
    machine.packages("installed", gcc="12", qemu="1:10.0")
    result = machine.run("need", "gcc", "qemu>=1:9.1")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert machine.log() == []


def test_shows_a_user_the_one_command(machine: Machine) -> None:
    machine.packages("installed", gcc="12")
    machine.packages("archive", gcc="12", kmod="30", sparse="1")
    result = machine.run("need", "gcc", "kmod", "sparse")
    assert result.returncode == 3
    assert result.stderr.splitlines() == [
        "error: Debian packages are missing: kmod sparse",
        "Install them with this command, then run make again:",
        "  sudo apt-get install -y --no-install-recommends kmod sparse",
    ]
    assert changes(machine) == []


def test_command_fetches_lists_that_are_not_there(machine: Machine) -> None:
    machine.fetched_nothing()
    result = machine.run("need", "kmod")
    assert result.stderr.splitlines()[-1] == (
        '  sudo sh -c "apt-get update && apt-get install -y --no-install-recommends kmod"'
    )


def test_command_needs_no_sudo_where_there_is_none(machine: Machine) -> None:
    machine.packages("archive", kmod="30")
    machine.hide("sudo")
    result = machine.run("need", "kmod")
    assert result.stderr.splitlines()[-1] == (
        '  su - -c "apt-get install -y --no-install-recommends kmod"'
    )


def test_command_for_a_newer_version_is_the_script_itself(machine: Machine) -> None:
    machine.packages("archive", qemu="1:7.2", kmod="30")
    result = machine.run("need", "kmod", "qemu>=1:9.1")
    assert result.stderr.splitlines()[-1] == rf"  sudo {CI}/need kmod qemu\>=1:9.1"


def test_user_goes_on_with_an_old_version(machine: Machine) -> None:
    machine.packages("installed", qemu="1:7.2")
    machine.packages("archive", qemu="1:7.2")
    result = machine.run("need", "qemu>=1:9.1")
    assert result.returncode == 0
    assert result.stderr == "note: qemu 1:7.2 is older than 1:9.1\n"


def test_root_installs_all_at_once(root: Machine) -> None:
    root.packages("archive", kmod="30", qemu="1:9.1")
    result = root.run("need", "kmod", "qemu>=1:9.1")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "==> installing Debian packages: kmod qemu\n"
    (call,) = changes(root)
    assert call.endswith("--no-install-recommends install kmod qemu")


def test_root_fetches_lists_first_where_there_are_none(root: Machine) -> None:
    root.packages("archive", kmod="30")
    root.fetched_nothing()
    result = root.run("need", "kmod")
    assert result.returncode == 0
    assert result.stderr.splitlines()[0] == "==> updating the package lists"
    assert [line.split()[-1] for line in changes(root)] == ["update", "kmod"]


def test_root_mends_stale_lists_and_an_interrupted_installation(root: Machine) -> None:
    root.packages("unfetched", kmod="30")
    result = root.run("need", "kmod")
    assert result.returncode == 0
    assert [line.split()[-1] for line in changes(root)] == ["kmod", "update", "-a", "kmod"]


def test_root_sees_why_a_package_cannot_be_had(root: Machine) -> None:
    root.packages("unfetched", other="1")
    result = root.run("need", "no-such-thing")
    assert result.returncode == 3
    assert "E: no no-such-thing" in result.stderr
    assert result.stderr.endswith("could not be installed: no-such-thing\n")


def test_root_takes_a_newer_version_from_backports(root: Machine) -> None:
    root.packages("archive", qemu="1:7.2")
    root.packages("backports", qemu="1:10.0")
    result = root.run("need", "qemu>=1:9.1")
    codename = release("VERSION_CODENAME")
    assert result.returncode == 0, result.stderr
    assert result.stderr == f"==> installing qemu from {codename}-backports\n"
    line = next(line for line in root.log() if line.startswith("deb "))
    assert line.endswith(f" file:///archive/ {codename}-backports main")
    assert "Dir::Etc::sourcelist=/dev/null" in root.log()[-1]


def test_root_goes_on_with_an_old_version_where_backports_have_none(root: Machine) -> None:
    root.packages("archive", qemu="1:7.2")
    result = root.run("need", "qemu>=1:9.1")
    assert result.returncode == 0, result.stderr
    assert "note: qemu 1:7.2 is older than 1:9.1, and no newer one is to be had" in result.stderr
    assert (root.home / "installed" / "qemu").read_text() == "1:7.2"


@pytest.mark.parametrize("name", ["--fix-broken", "a;b", "$(id)", "a b", ""])
def test_only_names_of_packages_reach_root(root: Machine, name: str) -> None:
    result = root.run("need", name)
    assert result.returncode == 2
    assert root.log() == []


def test_needs_a_package(machine: Machine) -> None:
    assert machine.run("need").returncode == 2


def test_tells_another_distribution_what_is_needed_and_goes_on(machine: Machine) -> None:
    machine.hide("dpkg-query", "apt-get")
    result = machine.run("need", "gcc", "kmod")
    assert result.returncode == 0
    assert result.stderr == (
        "note: not a Debian; this needs what these of its packages provide: gcc kmod\n"
    )


def release(key: str) -> str:
    """A value of this machine's os-release."""
    lines = Path("/etc/os-release").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values[key].strip('"')
