# SPDX-License-Identifier: GPL-2.0-or-later
"""Legal C of the kernel that must not be taken for a defect, nor end the analysis."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from checks.report import as_text
from checks.run import check_paths
from gen.generate import read_device
from tests.checks.trees import OUT, change, copy, kernel, run
from tests.execution.drivers import SPEC

CORE = "vmbell.c"
LIST = "static LIST_HEAD(vmbell_all);\n"
EXIT = "static void __exit vmbell_exit(void)\n{\n"
LOCK = "static DEFINE_SPINLOCK(vmbell_lock);\n"


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (EXIT, f'{EXIT}\tint a = 1, b = a ?: 2;\n\n\tpr_debug("%d\\n", b);\n'),
        (EXIT, (f"{EXIT}\tstruct vmbell *p = list_first_entry(&vmbell_all, struct vmbell, entry);\n"
               '\n\tpr_debug("%p\\n", p);\n')),
        (EXIT, f'{EXIT}\tpr_debug("%zu\\n", some_macro(&vmbell_all, struct vmbell *, u8));\n'),
        (EXIT, f'{EXIT}\ttypeof(vmbell_off) *p = &vmbell_off;\n\n\tpr_debug("%p\\n", p);\n'),
        (LIST, (f"{LIST}static bool loud;\nmodule_param(loud, bool, 0644);\n"
               'MODULE_PARM_DESC(loud, "say more");\n')),
        (LIST, f"{LIST}static const u8 vmbell_first __initconst = 1;\n"),
        ("EXPORT_SYMBOL_GPL(vmbell_attach);", "EXPORT_SYMBOL_NS_GPL(vmbell_attach, VMBELL);"),
        ("EXPORT_SYMBOL_GPL(vmbell_attach);", 'EXPORT_SYMBOL_NS_GPL(vmbell_attach, "VMBELL");'),
    ],
)  # fmt: skip
def test_all_of_it_is_analysed(tmp_path: Path, good: str, bad: str) -> None:
    tree = copy(tmp_path)
    change(tree, CORE, good, bad)
    found = {item.rule for item in run(tree).findings}
    assert not found & {"KERN133", "PARSE001"}


def test_what_cannot_be_parsed_is_told_where_it_stands(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    change(tree, CORE, EXIT, f"{EXIT}\tint a = 1 + ;\n\n")
    (item,) = [item for item in run(tree).findings if item.rule == "KERN133"]
    assert item.span.source.line(item.span.line) == "\tint a = 1 + ;"


def _out(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OUT, tmp_path / "driver"))


START = "\tstruct pvpanic_instance *pi;\n\n\tpi = devm_kzalloc"


def test_a_warning_hides_no_error_that_running_shows(tmp_path: Path) -> None:
    tree = _out(tmp_path)
    change(tree, "pvpanic.c", START, (
        "\tstatic struct pvpanic_instance only;\n\tstruct pvpanic_instance *pi;\n\n\tpi = &only;\n"
        "\tif (!dev)\n\t\tpi = devm_kzalloc"
    ))  # fmt: skip
    report = check_paths([tree], read_device(SPEC), kernel())
    assert {"KERN110", "RUN306"} <= {item.rule for item in report.findings}
    assert report.status == 1


CORE_OUT = "pvpanic.c"
GATE = "if (READ_ONCE(pi->events) & event)"
SEND = "static void pvpanic_send(unsigned int event)\n"
CHECK = "\tif (events & ~pi->capability)\n\t\treturn -EINVAL;\n"
STORE = "static ssize_t events_store("
VALID = """static int valid(const struct pvpanic_instance *pi, unsigned int mask)
{{
	if ({})
		return -EINVAL;

	return 0;
}}

"""
CALL = "\tret = valid(pi, events);\n\tif (ret)\n\t\treturn ret;\n"
WANTS = """static bool wants(const struct pvpanic_instance *pi, unsigned int event)
{{
	return {};
}}

"""


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ([(GATE, "if ((READ_ONCE(pi->events) & event) == event)")], None),
        ([(GATE, "if (!(READ_ONCE(pi->events) & ~event))")], "SPEC009"),
        ([(GATE, "if (wants(pi, event))"),
          (SEND, WANTS.format("event & READ_ONCE(pi->events)") + SEND)], None),
        ([(GATE, "if (wants(pi, event))"),
          (SEND, WANTS.format("event & pi->capability") + SEND)], "SPEC009"),
        ([(CHECK, "\tif ((events | pi->capability) != pi->capability)\n\t\treturn -EINVAL;\n")],
         None),
        ([(CHECK, "\tif ((events | pi->capability) != events)\n\t\treturn -EINVAL;\n")],
         "SPEC020"),
        ([(CHECK, CALL), (STORE, VALID.format("mask & ~pi->capability") + STORE)], None),
        ([(CHECK, CALL), (STORE, VALID.format("mask & pi->capability") + STORE)], "SPEC020"),
    ],
)  # fmt: skip
def test_masks_are_judged_by_what_is_worked_out(
    tmp_path: Path, changes: list[tuple[str, str]], rule: str | None
) -> None:
    tree = _out(tmp_path)
    for good, bad in changes:
        change(tree, CORE_OUT, good, bad)
    report = check_paths([tree], read_device(SPEC), kernel())
    assert {item.rule for item in report.findings} == ({rule} if rule else set())
    assert bool(rule) or not report.undecided


def test_a_mask_that_is_sent_whole_is_told_as_that(tmp_path: Path) -> None:
    tree = _out(tmp_path)
    change(tree, CORE_OUT, "iowrite8(event, pi->base)", "iowrite8(pi->events, pi->base)")
    report = check_paths([tree], read_device(SPEC), kernel(), execute=False)
    told = [item.message for item in report.findings if item.rule == "SPEC009"]
    mask = "'struct pvpanic_instance.events'"
    assert told == [f"this may write more of the mask {mask} than the event that happens"]


def test_bits_that_a_register_cuts_off_are_stored_too(tmp_path: Path) -> None:
    tree = _out(tmp_path)
    change(tree, CORE_OUT, CHECK, "\tif ((u8)events & ~pi->capability)\n\t\treturn -EINVAL;\n")
    change(tree, CORE_OUT, "WRITE_ONCE(pi->events, events)", "WRITE_ONCE(pi->events, (u8)events)")
    report = check_paths([tree], read_device(SPEC), kernel())
    assert "RUN303" in {item.rule for item in report.findings}


def test_rules_that_stay_open_are_counted_where_nothing_is_found(tmp_path: Path) -> None:
    tree = _out(tmp_path)
    change(tree, CORE_OUT, GATE, "if (nobody_knows(pi) && READ_ONCE(pi->events) & event)")
    report = check_paths([tree], read_device(SPEC), kernel())
    last = as_text(report).splitlines()[-1]
    assert report.status == 0
    assert {"RUN301", "PORT201"} <= {item.rule.id for item in report.undecided}
    assert "has 'nobody_knows' is not known" in str([item.why for item in report.undecided])
    assert last == f"no findings; {len(report.undecided)} rules undecided"


def test_locks_that_nobody_knows_are_no_defect(tmp_path: Path) -> None:
    tree = _out(tmp_path)
    path = tree / CORE_OUT
    text = path.read_text(encoding="utf-8").replace("DEFINE_MUTEX(", "DEFINE_THING_LOCK(")
    text = text.replace("mutex_lock(", "thing_lock(").replace("mutex_unlock(", "thing_unlock(")
    path.write_text(text, encoding="utf-8")
    report = check_paths([tree], read_device(SPEC), kernel())
    assert not report.findings
    assert {"KERN142", "KERN143", "RUN309"} <= {item.rule.id for item in report.undecided}
    assert "thing_lock()" in str([item.why for item in report.undecided])


COMPOSITE = "pvpanic-y := core.o\n\nobj-$(CONFIG_PVPANIC_MMIO)"


def test_the_parts_of_a_module_need_not_have_its_name(tmp_path: Path) -> None:
    tree = _out(tmp_path)
    (tree / CORE_OUT).rename(tree / "core.c")
    (tree / "core.c").write_text(
        (tree / "core.c").read_text("utf-8").replace('"pvpanic.h"', '"own.h"'), "utf-8"
    )
    (tree / "own.h").write_text((tree / "pvpanic.h").read_text("utf-8"), "utf-8")
    change(tree, "Makefile", "obj-$(CONFIG_PVPANIC_MMIO)", COMPOSITE)
    report = check_paths([tree], read_device(SPEC), kernel())
    assert not report.findings
    assert not report.undecided


@pytest.mark.parametrize(
    ("file", "good", "bad"),
    [
        (CORE_OUT, "\tsynchronize_rcu();\n", "\tsynchronize_rcu_expedited();\n"),
        (CORE_OUT, "static void pvpanic_unregister(void *data)\n", (
            "static void pvpanic_unregister(void *);\n\n"
            "static void pvpanic_unregister(void *data)\n")),
        (CORE_OUT, "static LIST_HEAD(", (
            "static struct notifier_block pvpanic_panic_nb;\nstatic LIST_HEAD(")),
        ("pvpanic-pci.c", "\treturn devm_pvpanic_register(&pdev->dev, base);\n", (
            '\tret = pci_request_region(pdev, 0, "x");\n\tif (ret)\n\t\treturn ret;\n\n'
            "\tret = devm_pvpanic_register(&pdev->dev, base);\n"
            "\tif (ret)\n\t\tpci_release_region(pdev, 0);\n\n\treturn ret;\n")),
    ],
)  # fmt: skip
def test_it_has_no_finding(tmp_path: Path, file: str, good: str, bad: str) -> None:
    tree = _out(tmp_path)
    change(tree, file, good, bad)
    assert not check_paths([tree], read_device(SPEC), kernel()).findings


def test_a_capability_may_be_read_by_a_helper(tmp_path: Path) -> None:
    tree = _out(tmp_path)
    read = "ioread8(base) & PVPANIC_KNOWN_EVENTS"
    helper = f"static unsigned int known(void __iomem *base)\n{{\n\treturn {read};\n}}\n\n"
    change(tree, CORE_OUT, read, "known(base)")
    change(tree, CORE_OUT, STORE, helper + STORE)
    assert not check_paths([tree], read_device(SPEC), kernel()).findings
