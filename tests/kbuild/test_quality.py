# SPDX-License-Identifier: GPL-2.0-or-later
"""The rendered C by the kernel's own measures, and beside mainline's driver."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gen.generate import generate
from gen.output import write
from tests.conftest import ROOT
from tests.frontdoor.project import tracked
from tests.kbuild.kernels import build_tree, copy_driver, kbuild, shipped_modules, source_tree

pytestmark = pytest.mark.kbuild

SPECS = ["spec/pvpanic.yaml", "tests/spec/acme_watch.yaml", "tests/spec/mite.yaml"]
MAINLINE = "7.3"
MAY_EXCEED = 1.15


def rendering(spec: str, directory: Path) -> Path:
    write(directory, generate(ROOT / spec, None, None).files)
    return directory


def sources(directory: Path) -> list[Path]:
    return [path for path in sorted(directory.rglob("*.[ch]")) if not path.match("*.mod.c")]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: Path(spec).stem)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_compiles_without_a_warning(spec: str, compiler: str, tmp_path: Path) -> None:
    words = ["LLVM=1"] if compiler == "clang" else []
    printed = kbuild(rendering(spec, tmp_path / "driver"), "W=1", *words)
    assert "warning" not in printed.lower(), printed
    assert list((tmp_path / "driver").glob("*.ko"))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: Path(spec).stem)
def test_sparse_reports_nothing(spec: str, tmp_path: Path) -> None:
    printed = kbuild(rendering(spec, tmp_path / "driver"), "C=2", "W=1")
    assert printed.count("CHECK ") >= 2, "sparse did not run"
    assert "warning" not in printed.lower(), printed
    assert "error" not in printed.lower(), printed


def test_sparse_would_report_a_lost_address_space(tmp_path: Path) -> None:
    driver = rendering(SPECS[0], tmp_path / "driver")
    path = driver / "pvpanic.c"
    path.write_text(path.read_text().replace("void __iomem *base;", "void *base;"))
    assert "different address spaces" in kbuild(driver, "C=2")


@pytest.mark.parametrize("choice", ["y", "m", "n"])
def test_whatever_the_target_chose_the_modules_are_built(choice: str, tmp_path: Path) -> None:
    """A target may have mainline's driver built in, as modules or not at all."""
    tree, target = build_tree().resolve(), tmp_path / "target"
    shutil.copytree(tree, target, symlinks=True)
    for link in filter(Path.is_symlink, target.iterdir()):  # they are relative to the old place
        link.unlink()
        link.symlink_to((tree / link.name).resolve())
    configuration = target / "include/config/auto.conf"
    lines = [
        line for line in configuration.read_text().splitlines() if "CONFIG_PVPANIC" not in line
    ]
    if choice != "n":
        lines += [
            "CONFIG_PVPANIC=y",
            f"CONFIG_PVPANIC_MMIO={choice}",
            f"CONFIG_PVPANIC_PCI={choice}",
        ]
    configuration.write_text("\n".join(lines) + "\n")
    if choice == "y":
        symbols = target / "Module.symvers"
        exports = symbols.read_text()
        assert "drivers/misc/pvpanic/pvpanic" in exports
        symbols.write_text(exports.replace("drivers/misc/pvpanic/pvpanic", "vmlinux"))
    driver = rendering(SPECS[0], tmp_path / "driver")
    kbuild(driver, tree=target)
    assert len(list(driver.glob("*.ko"))) == 3


def test_a_frontend_can_be_left_out_by_hand(tmp_path: Path) -> None:
    driver = rendering(SPECS[0], tmp_path / "driver")
    kbuild(driver, "CONFIG_PVPANIC_PCI=n")
    assert sorted(path.name for path in driver.glob("*.ko")) == ["pvpanic-mmio.ko", "pvpanic.ko"]


def checkpatch(*paths: Path) -> str:
    script = source_tree(MAINLINE) / "scripts/checkpatch.pl"
    run = subprocess.run(
        ["perl", script, "--no-tree", "--strict", "--no-summary", "--terse", "-f", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Global symbol" not in run.stderr, run.stderr
    return run.stdout


def test_checkpatch_reports_nothing() -> None:
    files = [ROOT / name for name in tracked("out")]
    assert len(files) >= 8
    assert checkpatch(*files) == ""


def test_checkpatch_would_report(tmp_path: Path) -> None:
    bad = tmp_path / "bad.c"
    bad.write_text("// SPDX-License-Identifier: GPL-2.0+\nint f( void ){\n  return 0;\n}\n")
    assert "ERROR" in checkpatch(bad)


def test_kernel_doc_reports_nothing() -> None:
    """The comments that begin with two stars are what kernel-doc makes of them."""
    tree = source_tree(MAINLINE)
    script = next(
        p for p in (tree / "scripts/kernel-doc", tree / "tools/docs/kernel-doc") if p.exists()
    )
    interpreter = "perl" if script.read_text().startswith("#!/usr/bin/env perl") else sys.executable
    run = subprocess.run(
        [interpreter, script.resolve(), "-none", "-Wall", ROOT / "out/pvpanic.c"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def mainline(directory: Path) -> Path:
    """Mainline's driver as a module directory, made to build on the headers of this machine."""
    tree = source_tree(MAINLINE)
    shutil.copytree(tree / "drivers/misc/pvpanic", directory)
    shutil.copytree(tree / "include/uapi/misc", directory / "uapi/misc")
    # An older kernel's uapi header lacks the newest event, and its platform_device.h does not
    # bring the id tables along.
    includes = ["linux/mod_devicetable.h", str(directory / "uapi/misc/pvpanic.h")]
    flags = " ".join(f"-include {name}" for name in includes)
    kbuild(directory, "CONFIG_PVPANIC_MMIO=m", "CONFIG_PVPANIC_PCI=m", f"KCFLAGS={flags}")
    return directory


def text_size(module: Path) -> int:
    run = subprocess.run(["size", module], capture_output=True, text=True, check=True)
    return int(run.stdout.splitlines()[1].split()[0])


def modinfo(module: Path, field: str) -> set[str]:
    run = subprocess.run(
        ["/sbin/modinfo", "-F", field, module], capture_output=True, text=True, check=True
    )
    return set(run.stdout.splitlines())


def test_beside_mainline(tmp_path: Path) -> None:
    """No larger and no longer than mainline's plus 15 percent; the same to modprobe and modinfo."""
    theirs = mainline(tmp_path / "mainline")
    ours = copy_driver(ROOT / "out", tmp_path / "ours")
    kbuild(ours)
    modules = sorted(path.name for path in theirs.glob("*.ko"))
    assert sorted(path.name for path in ours.glob("*.ko")) == modules
    for name in modules:
        assert text_size(ours / name) <= MAY_EXCEED * text_size(theirs / name), name
        for field in ("alias", "author", "description", "license", "depends", "parm"):
            assert modinfo(ours / name, field) == modinfo(theirs / name, field), (name, field)
    lines = [
        sum(
            len(path.read_text().splitlines())
            for path in sources(directory)
            if path.parent == directory
        )
        for directory in (ours, theirs)
    ]
    assert lines[0] <= MAY_EXCEED * lines[1]


def test_aliases_are_those_of_the_distributions_own_modules(tmp_path: Path) -> None:
    """What modprobe and the initramfs tools match on, beside the kernel package's modules."""
    ours = copy_driver(ROOT / "out", tmp_path / "ours")
    kbuild(ours)
    for name, module in shipped_modules(("pvpanic", "pvpanic-mmio", "pvpanic-pci")).items():
        assert modinfo(ours / f"{name}.ko", "alias") == modinfo(module, "alias"), name
        assert modinfo(ours / f"{name}.ko", "depends") == modinfo(module, "depends"), name


def test_uapi_macros_are_mainlines(tmp_path: Path) -> None:
    """The preprocessor sees the same names with the same values."""
    values = []
    for header in (
        source_tree(MAINLINE) / "include/uapi/misc/pvpanic.h",
        ROOT / "out/uapi/misc/pvpanic.h",
    ):
        probe = tmp_path / "probe.c"
        probe.write_text(f'#include "{header}"\n')
        run = subprocess.run(
            ["gcc", "-E", "-dM", "-I", "/usr/include", probe],
            capture_output=True,
            text=True,
            check=True,
        )
        lines = run.stdout.splitlines()
        values.append({line for line in lines if "PVPANIC" in line})
    assert values[0] == values[1]
    assert len(values[0]) == 4


def test_the_binding_is_a_devicetree_schema(tmp_path: Path) -> None:
    """The schema of schemas accepts it, and its own example compiles and validates."""
    binding = next((ROOT / "out/Documentation/devicetree").rglob("*.yaml"))
    tools = Path(sys.executable).parent
    run = subprocess.run(
        [tools / "dt-doc-validate", binding], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout + run.stderr) == (0, "")
    example = subprocess.run(
        [tools / "dt-extract-example", binding], capture_output=True, text=True, check=True
    ).stdout
    dts, dtb = tmp_path / "example.dts", tmp_path / "example.dtb"
    for source, accepted in ((example, True), (example.replace("reg = <", "rag = <"), False)):
        dts.write_text(source)
        subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", dtb, dts], check=True)
        run = subprocess.run(
            [tools / "dt-validate", "-l", "qemu", "-s", binding.parent, dtb],
            capture_output=True,
            text=True,
            check=False,
        )
        complaints = [line for line in (run.stdout + run.stderr).splitlines() if "'reg'" in line]
        assert (not complaints) is accepted, run.stdout + run.stderr


def test_the_abi_document_is_one() -> None:
    """The kernel's own reader of Documentation/ABI accepts it and finds every attribute."""
    script = source_tree("6.1") / "scripts/get_abi.pl"
    for command, words in (("validate", []), ("rest", ["pvpanic\\-pci", "events", "capability"])):
        run = subprocess.run(
            ["perl", script, "--dir", ROOT / "out/Documentation/ABI", command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode, run.stderr) == (0, "")
        for word in words:
            assert word in run.stdout
