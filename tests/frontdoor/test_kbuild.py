# SPDX-License-Identifier: GPL-2.0-or-later
"""`make modules`, `modules_install` and `clean` against the kernel headers of this machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.frontdoor.machine import CI
from tests.frontdoor.project import contents, make

pytestmark = pytest.mark.kbuild


@pytest.fixture
def built(rendered: Path) -> Path:
    """A copy of the rendered driver after `make modules`."""
    result = make("modules", f"OUT={rendered}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "warning:" not in result.stdout + result.stderr
    return rendered


def modules_of(directory: Path) -> set[str]:
    """The modules that the rendered Makefile names."""
    text = (directory / "Makefile").read_text()
    return {f"{name}.ko" for name in re.findall(r"\b([a-z0-9_-]+)\.o\b", text)}


def test_modules_builds_every_module_and_says_for_which_kernel(rendered: Path) -> None:
    result = make("modules", f"OUT={rendered}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^==> kernel \S+, \S+ \(.+\)$", result.stderr, flags=re.MULTILINE)
    assert modules_of(rendered) <= set(contents(rendered))


def test_modules_again_compiles_nothing(built: Path) -> None:
    result = make("modules", f"OUT={built}")
    assert result.returncode == 0
    assert " CC " not in result.stdout


def test_clean_leaves_the_rendered_files(rendered: Path) -> None:
    before = contents(rendered)
    assert make("modules", f"OUT={rendered}").returncode == 0
    assert contents(rendered) != before
    assert make("clean", f"OUT={rendered}").returncode == 0
    assert contents(rendered) == before


def test_install_goes_below_the_path_it_is_given(built: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    result = make("modules_install", f"OUT={built}", f"INSTALL_MOD_PATH={root}")
    assert result.returncode == 0, result.stderr
    assert "error" not in result.stderr.lower()
    installed = {path.name.split(".ko")[0] + ".ko" for path in root.rglob("*.ko*")}
    assert installed == modules_of(built)


def test_install_refuses_modules_of_another_kernel(built: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for directory in ("scripts", "include/config", "include/generated"):
        (other / directory).mkdir(parents=True)
    (other / "Makefile").touch()
    (other / "include/config/auto.conf").touch()
    release = '#define UTS_RELEASE "9.9.9-fake"\n'
    (other / "include/generated/utsrelease.h").write_text(release)
    result = make(
        "modules_install", f"OUT={built}", f"KDIR={other}", f"INSTALL_MOD_PATH={tmp_path}"
    )
    assert result.returncode == 2
    assert "not for 9.9.9-fake" in result.stderr


def test_built_files_do_not_make_the_output_stale(built: Path) -> None:
    python = Path(CI).parent / ".venv/bin/pvgen"
    result = subprocess.run(
        [python, "gen", "--check", "--out", built], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
