# SPDX-License-Identifier: GPL-2.0-or-later
"""Single stages: folding, initialisers, Kconfig formulas, Makefiles, addresses, layouts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from checks.belonging import parts
from checks.extract import extract
from checks.kconfig import DependencyTooLargeError, same_formula
from checks.parse import parse_tree
from checks.rule import Verdict
from checks.tree import Role, find_trees
from gen.kconfig import parse_dependency
from tests.checks.trees import DRIVER, change, copy, device, kernel, run


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("PCI && X", "X && PCI", True),
        ("!(A || B)", "!A && !B", True),
        ("A && (B || C)", "A && B || A && C", True),
        ("A", "A && A", True),
        ("A", "!!A", True),
        ("A=y", "A", False),
        ("A || !A", "y", False),
        ("A", "A || B", False),
        ("m", "y", False),
        ("A != n", "A", False),
    ],
)
def test_dependencies_are_compared_by_meaning(left: str, right: str, same: bool) -> None:
    assert same_formula(parse_dependency(left), parse_dependency(right)) is same


def test_too_large_a_dependency_is_not_guessed() -> None:
    names = " && ".join(f"A{n}" for n in range(12))
    with pytest.raises(DependencyTooLargeError):
        same_formula(parse_dependency(names), parse_dependency("A0"))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0x1f", 31),
        ("017", 15),
        ("'A'", 65),
        ("'\\n'", 10),
        ("(1 << 4) | 3", 19),
        ("~0 & 0xff", 255),
        ("sizeof(int)", None),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("1 / 0", None),
        ("1 << 1000000", None),
        ("3 > 2 ? 8 : 9", 8),
        ("(u8)0x1ff", 255),
        ("BIT(3) | _BITUL(1)", 10),
        ("GENMASK(3, 1)", 14),
        ("NOBODY", None),
        ("INT_MAX", 2**31 - 1),
        ("10UL", 10),
    ],
)
def test_expressions_are_folded(tmp_path: Path, written: str, value: int | None) -> None:
    file = tmp_path / "x.c"
    file.write_text(f"static int x = {written};\n")
    (tree,) = find_trees([file], device())
    facts = extract(tree, parse_tree(tree, kernel()), kernel())
    (unit,) = facts.units
    assert unit.objects[0].fields[""].number == value


def _roles(path: Path) -> dict[str, Role]:
    (tree,) = find_trees([path], device())
    return {str(file.path): file.role for file in tree.files}


def test_a_kernel_tree_is_the_same_driver(tmp_path: Path) -> None:
    home = tmp_path / "linux" / "drivers" / "misc" / "vmbell"
    shutil.copytree(DRIVER, home)
    header = tmp_path / "linux" / "include" / "uapi" / "misc" / "vmbell.h"
    header.parent.mkdir(parents=True)
    (home / "uapi" / "misc" / "vmbell.h").rename(header)
    shutil.rmtree(home / "uapi")
    change(home, "vmbell.c", '"uapi/misc/vmbell.h"', "<uapi/misc/vmbell.h>")
    (tmp_path / "linux" / "drivers" / "misc" / "other.c").write_text("not C {{{\n")
    report = run(tmp_path / "linux")
    assert not report.findings
    assert report.status == 0
    assert _roles(tmp_path / "linux")["include/uapi/misc/vmbell.h"] is Role.UAPI
    # The header of the tree around the driver's directory is part of it.
    part = run(home)
    assert part.status == 0
    assert {item.verdict for item in part.judgements if item.rule.id == "SPEC005"} == {Verdict.PASS}
    # Without it, nobody can answer for the events; that is said, and no error.
    header.unlink()
    part = run(home)
    assert not part.findings
    assert part.status == 0
    assert "SPEC005" in {item.rule.id for item in part.undecided}


def test_a_shared_directory_gives_the_driver_alone(tmp_path: Path) -> None:
    home = tmp_path / "misc"
    shutil.copytree(DRIVER, home)
    (home / "another.c").write_text("not C {{{\n")
    assert "another.c" not in _roles(home)
    assert run(home).status == 0


def test_what_kbuild_left_is_no_source(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    (tree / "vmbell.mod.c").write_text("not C {{{\n")
    assert run(tree).status == 0


def test_a_single_file_answers_for_itself_only() -> None:
    report = run(DRIVER / "vmbell-pci.c", DRIVER / "vmbell.h")
    verdicts = {item.rule.id: item.verdict for item in report.judgements}
    assert verdicts["SPEC011"] is Verdict.PASS
    assert verdicts["SPEC012"] is Verdict.NOT_APPLICABLE
    assert verdicts["SPEC025"] is Verdict.NOT_APPLICABLE
    assert verdicts["SPEC022"] is Verdict.NOT_APPLICABLE
    assert report.status == 0


def test_nothing_outside_the_given_files_is_read(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    (tmp_path / "secret.h").write_text("#define VMBELL_BAR 2\n")
    change(tree, "vmbell-pci.c", "#define VMBELL_BAR\t\t2\n", '#include "../secret.h"\n')
    report = run(tree)
    assert [item.rule for item in report.findings] == ["PARSE002"]
    verdicts = {item.rule.id: item.verdict for item in report.judgements}
    assert verdicts["SPEC014"] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("file", "good", "bad", "line"),
    [
        ("vmbell-pci.c", "vmbell_attach(&pdev->dev, regs)", "vmbell_attach(&pdev->dev, regs + 2)", 23),  # noqa: E501
        ("vmbell-plat.c", "devm_ioport_map(dev, res->start,", "devm_ioport_map(dev, res->start + 2,", 20),  # noqa: E501
        ("vmbell-pci.c", "\tif (!regs)", "\tregs = regs + 2;\n\tif (!regs)", None),
        ("vmbell-pci.c", "\tif (!regs)", "\tregs = mystery(regs);\n\tif (!regs)", None),
    ],
)  # fmt: skip
def test_an_address_is_followed_over_files(
    tmp_path: Path, file: str, good: str, bad: str, line: int | None
) -> None:
    tree = copy(tmp_path)
    change(tree, file, good, bad)
    report = run(tree)
    places = {(Path(item.span.source.name).name, item.rule) for item in report.findings}
    if line is None:
        assert "SPEC001" in {item.rule.id for item in report.undecided}
        assert (file, "SPEC001") not in places
    else:
        assert {rule for _, rule in places} == {"SPEC001"}
        assert report.status == 1


PROSE = """* Bells

Required properties:
- compatible: "{}".

Example:

    bell@0 {{ compatible = "acme,vmbell"; }};
"""


@pytest.mark.parametrize(("told", "rules"), [("acme,vmbell", []), ("acme,bell", ["SPEC029"])])
def test_what_a_binding_tells_is_not_made_good_by_its_example(
    tmp_path: Path, told: str, rules: list[str]
) -> None:
    tree = copy(tmp_path)
    directory = tree / "Documentation/devicetree/bindings/misc"
    (directory / "acme,vmbell.yaml").unlink()
    (directory / "vmbell.txt").write_text(PROSE.format(told), encoding="utf-8")
    found = run(tree).findings
    assert [item.rule for item in found] == rules
    assert all("'acme,vmbell', but of 'acme,bell'" in item.message for item in found)


@pytest.mark.parametrize(
    ("node", "short"),
    [
        ('compatible = "acme,vmbell"; reg = <0x100 0x10>;', []),
        ('compatible = "acme,vmbell"; reg = <0x100 10>;', []),
        ('compatible = "acme,vmbell"; reg = <0x100 9>;', ["9"]),
        ('compatible = "acme,vmbell"; reg = <0 0x100 0x1 0x0>;', []),
        ('compatible = "acme,vmbell"; reg = <0 0x100 0x0 0x1>;', ["1"]),
        ('reg = <0x100 0x1>; compatible = "acme,vmbell";', ["1"]),
        # Another node's, or one whose cells tell nothing by themselves.
        ('compatible = "acme,bus"; reg = <0x100 1>; bell { compatible = "acme,vmbell"; };', []),
        ('compatible = "acme,vmbell"; reg = <0x100 SIZE>;', []),
        ('compatible = "acme,vmbell"; reg = <0 0x100 1>;', []),
    ],
)
def test_an_example_holds_the_registers(tmp_path: Path, node: str, short: list[str]) -> None:
    tree = copy(tmp_path)
    path = tree / "Documentation/devicetree/bindings/misc/acme,vmbell.yaml"
    lines = node.replace("; ", ";\n        ").replace("{ ", "{\n        ")
    example = f"examples:\n  - |\n    bell@100 {{\n        {lines}\n    }};\n"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{example}", encoding="utf-8")
    messages = [item.message for item in run(tree).findings if item.rule == "SPEC029"]
    start = "the example's region has a length of"
    need = "the registers of 'acme,vmbell' need 10"
    assert messages == [f"{start} {length}: {need}" for length in short]


def test_an_era_with_one_file(tmp_path: Path) -> None:
    home = tmp_path / "drivers" / "misc"
    home.mkdir(parents=True)
    shutil.copy(DRIVER / "vmbell.c", home)
    (home / "Kconfig").write_text(
        'source "drivers/misc/other/Kconfig"\nconfig VMBELL\n\ttristate\n'
    )
    roles = _roles(tmp_path)
    assert roles == {"drivers/misc/vmbell.c": Role.UNIT, "drivers/misc/Kconfig": Role.KCONFIG}


def test_a_composite_object_builds_its_parts(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    (tree / "extra.c").unlink(missing_ok=True)
    text = (
        "obj-$(CONFIG_VMBELL_PCI) += vmbell.o vmbell-pci.o\nobj-$(CONFIG_VMBELL_PLAT) += both.o\n"
    )
    text += "both-objs := vmbell.o vmbell-plat.o\nccflags-y := -DX # obj-m := nothing.o\n"
    (tree / "Makefile").write_text(text)
    messages = [item.message for item in run(tree).findings if item.rule == "SPEC023"]
    assert messages == ["vmbell-plat.o becomes a part of both.o; the spec has a module of its name"]


@pytest.mark.parametrize("name", ["vmbell", "bell-core"])
def test_what_is_linked_with_a_file_of_the_driver_is_the_driver_s(
    name: str, tmp_path: Path
) -> None:
    makefile = tmp_path / "Makefile"
    whole = "core.o" if name == "vmbell" else "vmbell.o"
    makefile.write_text(
        f"obj-$(CONFIG_VMBELL) += {name}.o\n{name}-y := {whole} \\\n\tring.o\nother-y := a.o\n"
    )
    assert parts([makefile], ("vmbell", "vmbell-pci")) >= {whole.replace(".o", ".c"), "ring.c"}
    assert "a.c" not in parts([makefile], ("vmbell", "vmbell-pci"))
