# SPDX-License-Identifier: GPL-2.0-or-later
"""The rendered driver as a directory, and as one mail that swaps a tree's driver for it."""

from __future__ import annotations

import re
import shutil
import tempfile
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from checks.run import check_paths
from gen.backport import scratch
from gen.backport.replace import find_place
from gen.backport.tree import open_tree
from gen.generate import find_target, generate, read_device
from gen.git import GitError
from gen.model_restrict import carry
from tests.backport.trees import (
    AUTHOR,
    SPEC,
    backport,
    git,
    git_am,
    make_tree,
    remarks,
    repository,
)
from tests.conftest import ROOT
from tests.kbuild.kernels import source_tree

if TYPE_CHECKING:
    from pathlib import Path


def _texts(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*")) if path.is_file()}  # fmt: skip


def _paths(mail: str) -> list[str]:
    return re.findall(r"^diff --git a/(\S+) ", mail, re.MULTILINE)


def test_a_directory_is_rendered_and_checked(tmp_path: Path) -> None:
    result = backport("--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "rendered for Linux 6.1: the checker finds nothing" in result.output
    assert (tmp_path / "out/vmbell.c").is_file()


@pytest.mark.parametrize("single", [False, True])
def test_the_mail_applies_and_leaves_the_rendered_driver(tmp_path: Path, single: bool) -> None:
    tree = make_tree(tmp_path / "tree", single=single)
    before = _texts(tree)
    result = backport("--tree", tree, "--replace", "--author", AUTHOR, "--signoff",
                      "--out", tmp_path / "mails")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert _texts(tree) == before
    letter, *mails = sorted((tmp_path / "mails").iterdir())
    binding, driver = (mail.read_text() for mail in mails)
    assert all(f"Signed-off-by: {AUTHOR}\n" in text for text in (binding, driver))
    assert "Subject: [PATCH 1/2] dt-bindings: misc: vmbell: add the binding\n" in binding
    assert _paths(binding) == ["Documentation/devicetree/bindings/misc/acme,vmbell.yaml"]
    assert not [path for path in _paths(driver) if path.startswith("Documentation/devicetree/")]
    assert "  mail 1 driver: not touched" in letter.read_text()
    assert "    MAINTAINERS: the tree has none, so" in result.output
    place = find_place(open_tree(tree, read_device(SPEC)))
    git(repository(tree), "am", "-q", *mails)
    rendered = generate(SPEC, "6.1", None, place=place).files
    for name in ("vmbell.c", "vmbell.h", "Kconfig", "Makefile"):
        assert (tree / "drivers/misc/vmbell" / name).read_text() == rendered[name]
    assert not (tree / "drivers/misc/vmbell.c").exists()
    kconfig = (tree / "drivers/misc/Kconfig").read_text()
    hook = 'config FIRST\n\tbool\n\nsource "drivers/misc/vmbell/Kconfig"\n\nendmenu\n'
    assert kconfig.endswith(hook if single else hook.replace("\n\nendmenu", "\nendmenu"))
    assert "+= vmbell/\n" in (tree / "drivers/misc/Makefile").read_text()
    again = backport("--tree", tree, "--replace", "--author", AUTHOR, "--out", tmp_path / "more")
    assert (again.exit_code, "already carries this driver" in again.output) == (2, True)


def test_the_mail_names_what_has_no_successor(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    home = tree / "drivers/misc/vmbell"
    (home / "foreign.c").write_text("// SPDX-License-Identifier: GPL-2.0-only\nint foreign;\n")
    with (home / "Makefile").open("a") as file:
        file.write("obj-$(CONFIG_FOREIGN) += foreign.o\n")
    with (home / "Kconfig").open("a") as file:
        file.write('\nconfig FOREIGN\n\ttristate "Foreign"\n')
    result = backport("--tree", tree, "--replace", "--author", AUTHOR, "--out", tmp_path / "mails")
    assert result.exit_code == 0, result.output
    (mail,) = (tmp_path / "mails").glob("0002*")
    assert "go with the old one: foreign.c, CONFIG_FOREIGN." in " ".join(mail.read_text().split())


OWN = """\
VM BELL
M:\tSomebody <somebody@example.org>
F:\tdrivers/misc/vmbell*
F:\tinclude/uapi/misc/vmbell.h
"""


def test_each_mail_adds_its_files_to_the_driver_s_entry(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree", single=True)
    (tree / "MAINTAINERS").write_text(f"\t\tMAINTAINERS\n\n{OWN}\nTHE REST\nF:\t*\nF:\t*/\n")
    result = backport("--tree", tree, "--replace", "--author", AUTHOR, "--out", tmp_path / "mails")
    assert result.exit_code == 0, result.output
    assert "    MAINTAINERS: 'VM BELL' gets F: drivers/misc/vmbell/\n" in result.output
    git(repository(tree), "am", "-q", *sorted((tmp_path / "mails").glob("*.patch")))
    assert (
        (tree / "MAINTAINERS").read_text().split("\n\n")[1]
        == """\
VM BELL
M:\tSomebody <somebody@example.org>
F:\tDocumentation/ABI/testing/sysfs-devices-vmbell
F:\tDocumentation/devicetree/bindings/misc/acme,vmbell.yaml
F:\tdrivers/misc/vmbell*
F:\tdrivers/misc/vmbell/
F:\tinclude/uapi/misc/vmbell.h"""
    )
    first = next((tmp_path / "mails").glob("0001*")).read_text()
    assert _paths(first)[-1] == "MAINTAINERS"


def _damage_version(tree: Path) -> None:
    (tree / "Makefile").write_text("all:\n")


def _damage_numbers(tree: Path) -> None:
    (tree / "Makefile").write_text(f"VERSION = {'9' * 5_000}\nPATCHLEVEL = 1\nSUBLEVEL = 7\n")


def _damage_series(tree: Path) -> None:
    (tree / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 2\nSUBLEVEL = 1\n")


def _damage_driver(tree: Path) -> None:
    path = tree / "drivers/misc/vmbell/vmbell.c"
    path.write_text(path.read_text()[:-3])


def _damage_header(tree: Path) -> None:
    (tree / "include/uapi/misc/vmbell.h").unlink()


def _damage_kconfig(tree: Path) -> None:
    (tree / "drivers/misc/vmbell/Kconfig").write_text("config VMBELL\n\ttri")


def _damage_parent(tree: Path) -> None:
    (tree / "drivers/misc/Kconfig").write_text('menu "Misc"\n')


def _damage_makefile(tree: Path) -> None:
    (tree / "Makefile").unlink()


def _damage_all(tree: Path) -> None:
    shutil.rmtree(tree)


def _damage_copy(tree: Path) -> None:
    (tree / "drivers/platform").mkdir()
    (tree / "drivers/platform/vmbell.c").write_text("int x;\n")


def _damage_clean(tree: Path) -> None:
    repository(tree)
    (tree / "drivers/misc/Kconfig").write_text("# mine\n")


def _damage_hook(tree: Path) -> None:
    (tree / "drivers/misc/Makefile").write_text("obj-y += first.o\n")


@pytest.mark.parametrize(
    ("damage", "status", "words"),
    [
        (_damage_version, 2, "not a kernel tree"),
        (_damage_numbers, 2, "states no version that Linux can have"),
        (_damage_series, 2, "is Linux 6.2.1, not 6.1"),
        (_damage_driver, 3, "ends within a line; the source is not whole"),
        (_damage_header, 3, "no such file; the source is not whole"),
        (_damage_kconfig, 3, "vmbell/Kconfig: ends within a line; the source is not whole"),
        (_damage_parent, 3, "does not name drivers/misc/vmbell/Kconfig; the source is not whole"),
        (_damage_makefile, 2, "not a kernel tree (it has no Makefile)"),
        (_damage_all, 2, "tree: no such directory"),
        (_damage_copy, 3, "vmbell.c is there more than once"),
        (_damage_clean, 2, "the work tree has changes (drivers/misc/Kconfig)"),
        (_damage_hook, 3, "drivers/misc/Makefile: names the driver 0 times, not once"),
    ],
)
def test_a_bad_tree_is_told_and_nothing_is_written(
    tmp_path: Path, damage: object, status: int, words: str
) -> None:
    assert callable(damage)
    tree = make_tree(tmp_path / "tree", single=damage is _damage_hook)
    damage(tree)
    result = backport("--tree", tree, "--replace", "--author", AUTHOR, "--out", tmp_path / "mails")
    assert (result.exit_code, words in result.output) == (status, True), result.output
    assert {path.name for path in tmp_path.iterdir()} <= {"tree"}


def test_a_full_disk_is_told_in_other_words_than_git_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = make_tree(tmp_path / "tree")

    def fail(*_: object, **__: object) -> bytes:
        raise GitError("fatal: sha1 file '.git/index.lock' write error. Out of diskspace")

    monkeypatch.setattr(scratch, "git", fail)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    result = backport("--tree", tree, "--replace", "--author", AUTHOR, "--out", tmp_path / "mails")
    assert (result.exit_code, result.output) == (
        3,
        f"pvgen: {tempfile.gettempdir()}: No space left on device\n",
    )
    assert not (tmp_path / "mails").exists()


def test_a_wrong_wish_is_told(tmp_path: Path) -> None:
    tree, out = make_tree(tmp_path / "tree"), tmp_path / "mails"
    unknown = backport("--kernel", "3.2", "--out", out)
    assert (unknown.exit_code, "no facts about Linux 3.2" in unknown.output) == (2, True)
    nobody = backport("--tree", tree, "--replace", "--out", out)
    assert (nobody.exit_code, "--author is needed" in nobody.output) == (2, True)
    out.mkdir()
    (out / "mine").touch()
    full = backport("--tree", tree, "--replace", "--author", AUTHOR, "--out", out)
    assert (full.exit_code, "is not empty" in full.output) == (2, True)


@pytest.mark.kbuild
@pytest.mark.parametrize("series", ["5.10", "6.1"])
def test_real_trees_get_a_driver_that_the_checker_accepts(tmp_path: Path, series: str) -> None:
    spec = ROOT / "spec/pvpanic.yaml"
    tree = source_tree(series)
    result = backport("--spec", spec, "--kernel", series, "--tree", tree, "--replace",
                      "--author", AUTHOR, "--signoff", "--out", tmp_path / "mails")  # fmt: skip
    assert result.exit_code == 0, result.output
    mails = sorted((tmp_path / "mails").glob("*.patch"))
    assert len(mails) == 2
    assert remarks(tree, mails, result.output)[0] == []
    copy = git_am(tree, mails, tmp_path / "tree")
    makefile = (copy / "drivers/misc/pvpanic/Makefile").read_text()
    assert "KBUILD_EXTMOD" not in makefile
    core = (copy / "drivers/misc/pvpanic/pvpanic.c").read_text()
    assert "#include <uapi/misc/pvpanic.h>\n" in core
    assert " * Copyright (C) 2013 Fujitsu.\n * Copyright (C) 2018 ZTE.\n" in core
    text = mails[1].read_text()
    assert "PVPANIC_PANICKED: int became" in text
    if series == "5.10":
        assert "PVPANIC: tristate\n  became bool" in text
        assert "KernelVersion:\t5.13; backported to 5.10\n" in text
        assert "- the event 'shutdown' is left out: Linux 5.10 has no" in text
    kernel = find_target(series, None).kernel
    device = carry(read_device(spec), kernel)[0]
    assert check_paths([copy / "drivers/misc/pvpanic"], device, kernel).status == 0
    bindings = copy / "Documentation/devicetree/bindings/misc"
    assert [path.name for path in bindings.iterdir()] == ["qemu,pvpanic-mmio.yaml"]
