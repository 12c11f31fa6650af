# SPDX-License-Identifier: GPL-2.0-or-later
"""The wheel works from any directory: its templates and its facts are inside."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.frontdoor.machine import ROOT
from tests.frontdoor.project import contents, tracked

if TYPE_CHECKING:
    from pathlib import Path


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    directory = tmp_path_factory.mktemp("dist")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    built = run(
        sys.executable, "-m", "pip", "wheel", *options, "-w", directory, ROOT, cwd=directory
    )
    assert built.returncode == 0, built.stderr
    (found,) = directory.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def pvgen(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of the installed wheel, in an environment that borrows this one's libraries.

    The borrowed directory comes last on the path and its .pth files are not read, so that pvgen
    itself can only come from the wheel.
    """
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False, symlinks=True)
    site = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    python = home / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python))
    installed = run(*pip, "install", *options, wheel, cwd=home)
    assert installed.returncode == 0, installed.stderr
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin" / "pvgen"


def test_wheel_holds_templates_facts_and_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for room in ("templates", "spec"):
        assert {f"gen/_data/{name}" for name in tracked(room)} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_wheel_holds_no_test_and_no_output(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"gen", "checks"}


def test_installed_wheel_renders_the_same_and_checks_it(pvgen: Path, tmp_path: Path) -> None:
    rendered = run(pvgen, "gen", "--out", "driver", cwd=tmp_path)
    assert rendered.returncode == 0, rendered.stderr
    committed = {name.removeprefix("out/"): (ROOT / name).read_bytes() for name in tracked("out")}
    assert contents(tmp_path / "driver") == committed
    checked = run(pvgen, "check", "driver", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
