# SPDX-License-Identifier: GPL-2.0-or-later
"""The DKMS tree: which rendering a kernel gets, and the distribution's own dkms on it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gen.generate import find_target, plan_for, read_device
from gen.kernel_load import load_kernels
from gen.needs import watched
from gen.plan import Plan, Target
from gen.resources import kernel_directory
from tests.conftest import ROOT
from tests.kbuild.kernels import backported_tree, build_tree

KERNELS = load_kernels(kernel_directory())


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered DKMS tree, in a source directory of its own."""
    out = tmp_path_factory.mktemp("dkms") / "src"
    command = [sys.executable, "-m", "gen.cli", "dkms", "--out", str(out)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Path(run.stdout.strip())


def chosen(tree: Path, kdir: Path) -> str:
    """The rendering that dkms.conf takes for the headers of a kernel."""
    script = f"kernel_source_dir={kdir}; . {tree}/dkms.conf; echo $rendering"
    run = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return run.stdout.strip()


def headers(series: str, place: Path) -> Path:
    """Headers that declare no more than what the rendering for a series takes."""
    kernel = watched(KERNELS.get(series))
    plan_for(read_device(None), Target(kernel))
    place.mkdir()
    (place / "Makefile").touch()
    for need in sorted(kernel.needs):
        path = place / "include" / need.header
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{need.struct or 'struct'} {{\n\tint {need.word};\n}};\n")
    return place


def content(kernel: str | None, kdir: Path | None = None) -> Plan:
    """What the C is made from, without the words about its target."""
    _, plan = plan_for(read_device(None), find_target(kernel, None, kdir))
    return replace(plan, origin=(), left_out=())


@pytest.mark.parametrize("series", KERNELS.series)
def test_a_kernel_gets_its_own_rendering_or_one_like_it(
    tree: Path, tmp_path: Path, series: str
) -> None:
    rendering = chosen(tree, headers(series, tmp_path / "kernel"))
    assert content(rendering) == content(series)
    assert (tree / rendering / "Makefile").is_file()


def test_each_rendering_is_there_once_and_for_a_kernel_that_was_verified(tree: Path) -> None:
    names = sorted(path.name for path in tree.iterdir() if path.is_dir())
    assert names == ["5.10", "5.15", "6.1", "7.2"]
    assert "unverified" in (tree / "5.15/pvpanic.c").read_text(), "no other series is like it"


def test_headers_decide_and_no_number(tree: Path, tmp_path: Path) -> None:
    kdir = headers("6.1", tmp_path / "6.1")
    pci = kdir / "include/linux/pci.h"
    pci.write_text(pci.read_text().replace("struct pci_driver", "struct pci_device"))
    assert chosen(tree, kdir) == "5.10", "the member stands in another struct"
    vendor = headers("6.1", tmp_path / "5.14.0")
    assert chosen(tree, vendor) == "6.1"
    (vendor / "include/linux/gfp_types.h").unlink()
    (vendor / "include/linux/gfp.h").write_text("#define GFP_KERNEL 1\n")
    assert chosen(tree, vendor) == "5.15"


def test_headers_that_kernels_share_are_looked_into(tree: Path, tmp_path: Path) -> None:
    shared = headers("7.2", tmp_path / "common")
    own = tmp_path / "own"
    own.mkdir()
    (own / "Makefile").write_text(f"include {shared}/Makefile\n")
    assert chosen(tree, own) == "7.2"


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
    rendering = chosen(tree, kdir)
    assert f"/build/{rendering}/{run.name}.ko\n" in log, log
    assert content(rendering) == content(None, kdir), "not what the tree was probed to have"
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
