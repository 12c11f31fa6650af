# SPDX-License-Identifier: GPL-2.0-or-later
"""The DKMS tree: which rendering a kernel gets, and the distribution's own dkms on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.kbuild.kernels import build_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered DKMS tree, in a source directory of its own."""
    out = tmp_path_factory.mktemp("dkms") / "src"
    command = [sys.executable, "-m", "gen.cli", "dkms", "--out", str(out)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Path(run.stdout.strip())


@pytest.mark.parametrize(
    ("release", "series"),
    [
        ("5.10.0-32-amd64", "5.10"),
        ("6.1.0-50-amd64", "6.1"),
        ("6.2.0", "6.1"),
        ("6.12.117+deb13-amd64", "6.12"),
        ("6.9.1", "6.6"),
        ("7.3.4+deb13-amd64", "7.3"),
        ("8.0.0", "7.3"),
    ],
)
def test_a_kernel_gets_the_newest_rendering_that_is_not_newer(
    tree: Path, release: str, series: str
) -> None:
    script = f"kernelver={release}; . {tree}/dkms.conf; echo $rendering"
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == series
    assert (tree / series / "Makefile").is_file()


@pytest.mark.kbuild
def test_dkms_adds_builds_installs_and_removes(tree: Path, tmp_path: Path) -> None:
    kdir = build_tree()
    text = (kdir / "include/generated/utsrelease.h").read_text(encoding="utf-8")
    release = text.split('"')[1]
    name, version = tree.name.rsplit("-", 1)
    state, install = tmp_path / "state", tmp_path / "modules"
    state.mkdir()
    (install / release).mkdir(parents=True)
    places: list[str | Path] = [
        "--dkmstree",
        state,
        "--sourcetree",
        tree.parent,
        "--installtree",
        install,
    ]
    kernel: list[str | Path] = ["-k", release, "--kernelsourcedir", kdir]

    def dkms(action: str, *options: str | Path) -> None:
        command: list[str | Path] = ["dkms", action, "-m", name, "-v", version, *places, *options]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr

    def installed() -> set[str]:
        return {path.name.split(".ko")[0] for path in install.rglob("*.ko*")}

    dkms("add")
    dkms("build", *kernel)
    dkms("install", *kernel, "--force")
    assert installed() == {name, f"{name}-mmio", f"{name}-pci"}
    dkms("remove", "--all")
    assert not installed()
    assert tree.is_dir()
