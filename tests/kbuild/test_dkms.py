# SPDX-License-Identifier: GPL-2.0-or-later
"""The DKMS tree: which rendering a kernel gets, and the distribution's own dkms on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.kbuild.kernels import backported_tree, build_tree


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
@pytest.mark.parametrize("series", [None, "6.12"], ids=["installed", "6.12"])
def test_dkms_adds_builds_installs_and_removes(
    tree: Path, tmp_path: Path, series: str | None
) -> None:
    kdir = backported_tree(series, tmp_path / "kernel") if series else build_tree()
    run = Dkms(tree, kdir, tmp_path)
    before = machine()
    run("add")
    run("build")
    log = next((tmp_path / "state").rglob("make.log")).read_text(encoding="utf-8")
    chosen = series or ".".join(run.release.split(".")[:2])
    assert f"/build/{chosen}/{run.name}.ko\n" in log, log
    run("install", "--force")
    modules = run.installed()
    assert set(modules) == {run.name, f"{run.name}-mmio", f"{run.name}-pci"}
    for path in modules.values():
        magic = subprocess.run(
            ["/sbin/modinfo", "-F", "vermagic", path], capture_output=True, text=True, check=True
        )
        assert magic.stdout.split()[0] == run.release
    run("remove", "--all")
    assert not run.installed()
    assert tree.is_dir()
    assert machine() == before


def machine() -> dict[Path, int]:
    """What dkms may have touched outside of its scratch tree, with the times of change."""
    places = [Path("/var/lib/dkms"), Path("/lib/modules"), Path("/usr/src")]
    found = [path for place in places for path in (place, *place.glob("*"), *place.glob("*/*"))]
    return {path: path.lstat().st_mtime_ns for path in found if path.exists()}


class Dkms:
    """The distribution's dkms, with its trees, its key and its temporary files in `scratch`."""

    def __init__(self, tree: Path, kdir: Path, scratch: Path) -> None:
        text = (kdir / "include/generated/utsrelease.h").read_text(encoding="utf-8")
        self.release = text.split('"')[1]
        self.name, self.version = tree.name.rsplit("-", 1)
        self.kdir = kdir
        self.modules = scratch / "modules"
        state, temporary = scratch / "state", scratch / "tmp"
        for place in (state, temporary, self.modules / self.release):
            place.mkdir(parents=True)
        self.places: list[str | Path] = [
            "--dkmstree", state, "--sourcetree", tree.parent, "--installtree", self.modules,
            "--no-depmod",  # it would write the lists of the machine's own modules
        ]  # fmt: skip
        # What framework.conf may set; without, dkms makes a key in /var/lib/dkms and keeps it.
        self.environment = {
            **os.environ,
            "TMPDIR": str(temporary),
            "sign_file": str(kdir / "scripts/sign-file"),
            "mok_signing_key": str(scratch / "mok.key"),
            "mok_certificate": str(scratch / "mok.pub"),
        }

    def __call__(self, action: str, *options: str) -> None:
        """Run one action, for the kernel unless it is about all."""
        command = ["dkms", action, "-m", self.name, "-v", self.version, *self.places, *options]
        if action not in {"add", "remove"}:
            command += ["-k", self.release, "--kernelsourcedir", self.kdir]
        run = subprocess.run(
            command, capture_output=True, text=True, check=False, env=self.environment
        )
        assert run.returncode == 0, run.stdout + run.stderr

    def installed(self) -> dict[str, Path]:
        """The modules that are installed, by name."""
        return {path.name.split(".ko")[0]: path for path in self.modules.rglob("*.ko*")}
