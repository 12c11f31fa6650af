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
from gen.api import Range
from gen.generate import read_device
from gen.headers import HeadersError, open_headers
from gen.kernel_load import load_kernels
from gen.output import write
from gen.plan import Target, make_plan
from gen.probe import probe_tree
from gen.release import PointRelease
from gen.render import render
from gen.resources import kernel_directory, template_directory
from tests.conftest import ROOT
from tests.kbuild.kernels import build_tree, kbuild
from tests.kernel.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

KERNELS = load_kernels(kernel_directory())
MODULE = "#include <linux/kernel.h>\n"
# In the way of 5.10, with what a stable release of it took over.
HEADERS = {
    "linux/module.h": MODULE,
    "linux/kernel.h": "#include <linux/kstrtox.h>\n#include <linux/gfp.h>\n",
    "linux/kstrtox.h": "int kstrtobool(const char *s, bool *res);\n",
    "linux/gfp.h": "#define GFP_KERNEL 1\n#define GFP_ATOMIC 2\n#define GFP_NOWAIT 3\n",
    "linux/reboot.h": "static inline void stop(void)\n{\n\tregister_sys_off_handler(1);\n}\n",
    "linux/platform_device.h": "/* int platform_get_mem_or_io(int); */\n"
    "struct platform_driver {\n\tint (*probe)(int);\n"
    "\tint (*remove)(struct platform_device *);\n};\n",
    "linux/pci.h": "struct pci_driver {\n\tint driver;\n};\n",
}


def _tree(place: Path, version: str = "5.10.262") -> Path:
    numbers = zip(("VERSION", "PATCHLEVEL", "SUBLEVEL"), version.split("."), strict=True)
    place.mkdir(parents=True, exist_ok=True)
    (place / "Makefile").write_text("".join(f"{name} = {value}\n" for name, value in numbers))
    for name, text in HEADERS.items():
        path = place / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    # The rest of what differs between series, where 5.10 has it.
    old, written = KERNELS.get("5.10"), "".join(HEADERS.values())
    for api in old:
        varies = len(api.headers) > 1 or any(item.range != Range() for item in api.members)
        if varies and api.name not in written:
            moved = api.name.startswith("kstrto")
            path = place / "include" / ("linux/kstrtox.h" if moved else old.header(api.name))
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"extern {_opaque(api.name)};\n")
    return place


def _opaque(name: str) -> str:
    """A declaration of any kind under a name."""
    return f"{name} {{ int x; }}" if name.startswith("struct ") else f"int {name}"


def test_a_tree_is_known_by_its_headers(tmp_path: Path) -> None:
    probe = probe_tree(_tree(tmp_path), KERNELS)
    assert str(probe.release) == "5.10.262"
    assert probe.kernel.has_header("linux/kstrtox.h")
    assert not probe.base.has_header("linux/kstrtox.h")
    assert probe.kernel.header("kstrtouint") == "linux/kstrtox.h"
    # A comment declares nothing, nor does a call.
    assert not probe.kernel.has("platform_get_mem_or_io")
    assert not probe.kernel.has("register_sys_off_handler")
    assert probe.kernel.header("panic_notifier_list") == "linux/kernel.h"
    assert probe.kernel.members("struct platform_driver")["remove"].startswith("int ")
    assert "dev_groups" not in probe.kernel.members("struct pci_driver")
    assert {"linux/kstrtox.h", "kstrtouint"} <= {fact.name for fact in probe.facts if fact.differs}


def test_a_member_may_have_a_named_type(tmp_path: Path) -> None:
    """ACPI's operations are declared by names for pointers to functions."""
    tree = _tree(tmp_path)
    (tree / "include/linux/acpi.h").write_text(
        "typedef int (*op_add) (struct acpi_device * device);\n"
        "typedef void (*op_remove) (struct acpi_device *device);\n"
        "struct acpi_device_ops {\n\top_add add;\n\top_remove remove;\n};\n"
        + (tree / "include/linux/acpi.h").read_text()
    )
    found = probe_tree(tree, KERNELS)
    (fact,) = (fact for fact in found.facts if fact.name == "struct acpi_device_ops.remove")
    assert fact.found == "void (*remove)(struct acpi_device *device)"
    assert fact.differs, "in 5.10 it returned a number"


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


def test_headers_of_the_architecture_that_a_tree_was_configured_for_are_read(
    tmp_path: Path,
) -> None:
    """All architectures have one of that name; the generated ones tell which counts."""
    tree = _tree(tmp_path)
    for name in ("arm64", "x86"):
        own = tree / f"arch/{name}/include/asm/own.h"
        own.parent.mkdir(parents=True)
        own.write_text(f"int of_{name}(void);\n")
    assert open_headers(tree).declares("asm/own.h", "of_x86")
    (tree / "arch/arm64/include/generated/asm").mkdir(parents=True)
    assert open_headers(tree).declares("asm/own.h", "of_arm64")
    assert not open_headers(tree).declares("asm/own.h", "of_x86")
    (tree / "arch/x86/include/generated/asm").mkdir(parents=True)
    assert open_headers(tree).architecture == "x86"


def test_a_truncated_tree_is_refused(tmp_path: Path) -> None:
    tree = _tree(tmp_path)
    (tree / "include/linux/mod_devicetable.h").unlink()
    with pytest.raises(HeadersError, match="not a whole kernel tree: 'struct acpi_device_id'"):
        probe_tree(tree, KERNELS)


@pytest.mark.parametrize("version", ["none", "4.19.1", f"{'9' * 5_000}.1.1"])
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


def _pvgen(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gen.cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_a_driver_for_another_kernel_is_told_how_to_be_rendered(tmp_path: Path) -> None:
    tree = _tree(tmp_path)
    run = _pvgen("check", "--kdir", tree, "out")
    assert run.returncode == 1
    assert "PORT201" in run.stdout
    assert "is rendered for Linux 6.1, and" in run.stderr
    assert f"make gen KDIR={tree} OUT=out" in run.stderr


@pytest.mark.parametrize(
    ("rendered", "asked", "words"),
    [
        (("--as-of", "6.1.4"), (), "say SPEC=spec/pvpanic.yaml AS_OF=6.1.4"),
        ((), ("--as-of", "6.1"), "not from spec/pvpanic.yaml as of 6.1;"),
        (("--spec", "tests/spec/mite.yaml"), (), "say SPEC=tests/spec/mite.yaml"),
    ],
)
def test_a_driver_of_another_spec_or_contract_is_not_judged(
    tmp_path: Path, rendered: tuple[str, ...], asked: tuple[str, ...], words: str
) -> None:
    tree = _tree(tmp_path / "tree")
    assert _pvgen("gen", *rendered, "--out", tmp_path / "out").returncode == 0
    run = _pvgen("check", "--kdir", tree, *asked, tmp_path / "out")
    assert run.returncode == 2
    assert words in run.stderr
    assert not run.stdout


def test_a_series_and_a_tree_are_not_both_a_target(tmp_path: Path) -> None:
    run = _pvgen("gen", "--kernel", "6.1", "--kdir", _tree(tmp_path), "--out", tmp_path / "out")
    assert run.returncode == 2
    assert "give one" in run.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.kbuild
def test_a_driver_is_rendered_for_the_tree_that_was_found(tmp_path: Path) -> None:
    tree = build_tree()
    out = tmp_path / "out"
    assert _pvgen("gen", "--kdir", tree, "--out", out).returncode == 0
    told = _pvgen("kernels", "--probe", tree, "--format", "json").stdout
    banner = (out / ".pvgen-files").read_text(encoding="utf-8")
    assert f"for Linux {json.loads(told)['version']}" in banner
    assert str(tree) not in banner
    assert _pvgen("check", "--kdir", tree, out).returncode == 0
    kbuild(out, "W=1", "KCFLAGS=-Werror")


@pytest.mark.kbuild
def test_a_compiler_bears_out_what_the_text_told() -> None:
    tree = build_tree()
    assert verify(tree, probe_tree(tree, KERNELS).kernel) == []
