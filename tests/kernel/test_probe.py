# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees of headers, and what is found in them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from checks.run import check_paths
from gen.generate import read_device
from gen.headers import HeadersError, open_headers
from gen.kernel import load_kernels
from gen.model import PointRelease
from gen.output import write
from gen.plan import Target, make_plan
from gen.probe import probe_tree
from gen.render import render
from gen.resources import kernel_directory, template_directory
from tests.kbuild.kernels import build_tree
from tests.kernel.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

KERNELS = load_kernels(kernel_directory())
MODULE = "#include <linux/kernel.h>\n"
# In the way of 5.10, with what a stable release of it took over.
HEADERS = {
    "linux/module.h": MODULE,
    "linux/kernel.h": "#include <linux/kstrtox.h>\nextern struct head panic_notifier_list;\n",
    "linux/kstrtox.h": "/* int kstrtol(x); */\nint __must_check kstrtouint(const char *s);\n",
    "linux/reboot.h": "static inline void stop(void)\n{\n\tregister_sys_off_handler(1);\n}\n",
    "linux/platform_device.h": "struct platform_driver {\n\tint (*probe)(int);\n"
    "\tint (*remove)(struct platform_device *);\n};\n",
    "linux/pci.h": "struct pci_driver {\n\tstruct device_driver driver;\n};\n",
}


def _tree(place: Path, version: str = "5.10.262") -> Path:
    numbers = zip(("VERSION", "PATCHLEVEL", "SUBLEVEL"), version.split("."), strict=True)
    place.mkdir(parents=True, exist_ok=True)
    (place / "Makefile").write_text("".join(f"{name} = {value}\n" for name, value in numbers))
    for name, text in HEADERS.items():
        path = place / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return place


def test_a_tree_is_known_by_its_headers(tmp_path: Path) -> None:
    probe = probe_tree(_tree(tmp_path), KERNELS)
    assert str(probe.release) == "5.10.262"
    assert probe.kernel.has_header("linux/kstrtox.h")
    assert not probe.base.has_header("linux/kstrtox.h")
    assert probe.kernel.header("kstrtouint") == "linux/kstrtox.h"
    # A comment declares nothing, nor does a call.
    assert not probe.kernel.has("kstrtol")
    assert not probe.kernel.has("register_sys_off_handler")
    assert probe.kernel.header("panic_notifier_list") == "linux/kernel.h"
    assert probe.kernel.members("struct platform_driver")["remove"].startswith("int ")
    assert "dev_groups" not in probe.kernel.members("struct pci_driver")
    assert {"linux/kstrtox.h", "kstrtouint"} <= {fact.name for fact in probe.facts if fact.differs}


def test_a_series_without_a_file_is_compared_with_an_older_one(tmp_path: Path) -> None:
    probe = probe_tree(_tree(tmp_path, "6.9.3"), KERNELS)
    assert (probe.base.series, probe.known) == ("6.6", False)


def test_headers_of_all_flavours_are_found_beside_a_package(tmp_path: Path) -> None:
    _tree(tmp_path / "usr/src/linux-headers-5.10.0-9-common")
    flavour = tmp_path / "usr/src/linux-headers-5.10.0-9-amd64"
    (flavour / "include/config").mkdir(parents=True)
    (flavour / "Makefile").write_text("include /usr/src/linux-headers-5.10.0-9-common/Makefile\n")
    for place in (tmp_path, flavour):
        assert open_headers(place).release == PointRelease.parse("5.10.262")


@pytest.mark.parametrize("version", ["none", "4.19.1"])
def test_what_is_no_tree_or_too_old_is_refused(tmp_path: Path, version: str) -> None:
    if version != "none":
        _tree(tmp_path, version)
    with pytest.raises(HeadersError, match=r"no kernel headers|older than 5\.10"):
        probe_tree(tmp_path, KERNELS)


def test_what_was_found_is_told_to_programs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gen.cli", "kernels", "--probe", str(_tree(tmp_path))]
    run = subprocess.run([*command, "--format", "json"], capture_output=True, check=True)
    told = json.loads(run.stdout)
    assert told["version"] == "5.10.262"
    assert "linux/kstrtox.h" in told["differ"]
    assert any("shutdown" in text for text in told["lacks"])


def test_adding_a_series_is_adding_one_file(tmp_path: Path) -> None:
    shutil.copytree(kernel_directory(), tmp_path / "kernels")
    shutil.copy(kernel_directory().parent / "kernels.schema.json", tmp_path)
    lines = ["kernel: 1", 'series: "6.9"', "branch: linux-6.9.y", "in-tree: {}", "verified: false"]
    (tmp_path / "kernels/6.9.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    kernels = load_kernels(tmp_path / "kernels")
    kernel = kernels.get("6.9")
    assert kernels.series.index("6.9") == KERNELS.series.index("6.6") + 1
    assert not kernel.verified
    device = read_device(None)
    files = render(make_plan(device, Target(kernel), "spec.yaml"), template_directory())
    write(tmp_path / "out", files)
    report = check_paths([tmp_path / "out"], device, kernel)
    assert not report.findings
    assert report.status == 0


def test_the_unverified_series_are_told_to_be_so() -> None:
    assert [k.series for k in KERNELS.all if not k.verified] == ["5.15", "6.6", "6.18"]
    run = subprocess.run(
        [sys.executable, "-m", "gen.cli", "kernels"], capture_output=True, text=True, check=True
    )
    for series in ("5.15", "6.6", "6.18"):
        assert any(line.split() == [series, "unverified"] for line in run.stdout.splitlines())


@pytest.mark.kbuild
def test_a_compiler_bears_out_what_the_text_told() -> None:
    tree = build_tree()
    assert verify(tree, probe_tree(tree, KERNELS).kernel) == []
