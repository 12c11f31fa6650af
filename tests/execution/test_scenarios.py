# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios and models that a driver other than the rendered one needs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from checks.rule import Found, Unknown
from tests.checks.trees import change
from tests.execution.drivers import OUT, SPEC, said, words

if TYPE_CHECKING:
    from pathlib import Path

CORE, PCI, PLATFORM = "pvpanic.c", "pvpanic-pci.c", "pvpanic-mmio.c"
MAP = "\tbase = pcim_iomap(pdev, 0, 0);\n\tif (!base)\n\t\treturn -ENOMEM;\n"
REGIONS = '\tret = pcim_iomap_regions(pdev, BIT({0}), "x");\n\tif (ret)\n\t\treturn ret;\n'
TABLE = f"{REGIONS}\tbase = pcim_iomap_table(pdev)[{{0}}];\n"
ENABLE = "pcim_enable_device(pdev)"
PANIC = "\tpvpanic_send(kexec_crash_loaded() ?"
AWAY = "\n\t\treturn 0;\n"
DRIVER = "static struct pci_driver pvpanic_pci_driver = {\n"
REMOVE = "static void gone(struct pci_dev *pdev)\n{\n"
BASE = "\tpi->capability = ioread8(base) & PVPANIC_KNOWN_EVENTS;"
DATA = "dev_get_drvdata(dev);\n\tunsigned int events;"
PARSED = "\tret = kstrtouint(buf, 16, &events);\n\tif (ret)\n\t\treturn ret;\n"
GROUP = "static const struct attribute_group pvpanic_group = {\n"
SHOWS = "\t.is_visible = visible,\n"
VISIBLE = """static umode_t visible(struct kobject *kobj, struct attribute *attr, int n)
{{
	return {};
}}

"""
PORTS = "devm_ioport_map(dev, res->start, resource_size(res))"
UPDATE = "\tpvpanic_power_off_update();\n"
LISTED = f"\tlist_add_rcu(&pi->node, &pvpanic_instances);\n{UPDATE}"
INIT = "static int __init pvpanic_init(void)\n{\n"
EXIT = "static void __exit pvpanic_exit(void)\n{\n"
LEAVE = "\tunregister_reboot_notifier(&reboot_nb);\n"
REBOOT = """static int reboot(struct notifier_block *nb, unsigned long action, void *data)
{{
	{}pvpanic_send(PVPANIC_SHUTDOWN);

	return NOTIFY_DONE;
}}

static struct notifier_block reboot_nb = {{
	.notifier_call = reboot,
}};

"""
STARTS = """static int __init pvpanic_init(void)
{
	int err = register_reboot_notifier(&reboot_nb);

	if (err)
		return err;
	err = atomic_notifier_chain_register(&panic_notifier_list, &pvpanic_panic_nb);
	if (err)
		unregister_reboot_notifier(&reboot_nb);
	return err;
}

static int __maybe_unused first(void)
{
"""


def _rules(tmp_path: Path, file: str, *changes: tuple[str, str]) -> set[str]:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    for good, bad in changes:
        change(tree, file, good, bad)
    return {rule for rule, _ in said(words(tree, SPEC, "6.12"))}


@pytest.mark.parametrize(
    ("file", "changes", "rules"),
    [
        # What one register reads as is taken for what all do.
        (CORE, [("static LIST_HEAD", "static unsigned int first;\nstatic LIST_HEAD"),
                (BASE, ("\tif (!first)\n\t\tfirst = ioread8(base) & PVPANIC_KNOWN_EVENTS;\n"
                        "\tpi->capability = first;"))], "RUN303"),
        # What one device can take, or any, is let through for all.
        (CORE, [("static LIST_HEAD", "static unsigned int known;\nstatic LIST_HEAD"),
                (BASE, f"{BASE}\n\tknown |= pi->capability;"),
                ("events & ~pi->capability", "events & ~known")], "RUN303"),
        (CORE, [("static LIST_HEAD", "static unsigned int known;\nstatic LIST_HEAD"),
                (BASE, f"{BASE}\n\tknown = pi->capability;"),
                ("events & ~pi->capability", "events & ~known")], "RUN303"),
        (CORE, [(DATA, DATA.replace("(dev)", "(dev->parent)"))], "RUN306"),
        (CORE, [(PARSED, "\tevents = simple_strtoul(buf, NULL, 16);\n\tret = 0;\n")], "RUN303"),
        # A sign is a part of a number, and so is no reason to refuse it.
        (CORE, [(PARSED, "\tif (buf[0] == '+')\n\t\treturn -EINVAL;\n" + PARSED)], "RUN303"),
        (CORE, [(PARSED, "\tif (!count)\n\t\treturn -EINVAL;\n" + PARSED)], ""),
        # A bit-field has its own width.
        (CORE, [("\tunsigned int capability;", "\tunsigned int capability : 2;")], "RUN303"),
        (CORE, [("\tunsigned int capability;", "\tunsigned int capability : 3;")], ""),
        # A restart is no power-off.
        (CORE, [(INIT, REBOOT.format("") + STARTS), (EXIT, EXIT + LEAVE)], "RUN301"),
        (CORE, [(INIT, REBOOT.format("// ") + STARTS), (EXIT, EXIT + LEAVE)], ""),
        (CORE, [(INIT, REBOOT.format("// ") + STARTS)], "RUN304"),
        (PCI, [(MAP, TABLE.format(0))], ""),
        (PCI, [(MAP, TABLE.format(1))], "RUN307"),
        (PCI, [(MAP, REGIONS.format(0) + MAP)], ""),
        (PCI, [(DRIVER, (f"{REMOVE}\tpcim_iounmap(pdev, pcim_iomap_table(pdev)[0]);\n}}\n\n"
                         f"{DRIVER}\t.remove = gone,\n"))], "RUN306"),
        (PCI, [(DRIVER, (f"{REMOVE}\tpci_disable_device(pdev);\n}}\n\n"
                         f"{DRIVER}\t.shutdown = gone,\n"))], "RUN302"),
        (PCI, [("module_pci_driver(pvpanic_pci_driver);\n", "")], "RUN308"),
        # Ports are not memory, and who pins a device has to disable it.
        (PCI, [(ENABLE, "pci_enable_device_mem(pdev)")], "RUN304"),
        (PCI, [(ENABLE, "pci_enable_device_io(pdev)")], "RUN302"),
        (PCI, [(MAP, f"\tpcim_pin_device(pdev);\n{MAP}")], "RUN304"),
        # A group may hide its attributes, and a mapping may be too short for the register.
        (CORE, [(GROUP, VISIBLE.format("attr->mode") + GROUP + SHOWS)], ""),
        (CORE, [(GROUP, VISIBLE.format("0") + GROUP + SHOWS)], "RUN303"),
        (PLATFORM, [(PORTS, PORTS.replace("resource_size(res)", "1"))], ""),
        (PLATFORM, [(PORTS, PORTS.replace("resource_size(res)", "0"))], "RUN302"),
        # What is not managed needs a remove callback.
        (PCI, [("pcim_iomap(pdev", "pci_iomap(pdev")], "RUN304"),
        # Who asks the list before the device is on it misses what the device wants.
        (CORE, [(LISTED, UPDATE + LISTED.removesuffix(UPDATE))], "RUN308"),
        # A handler of a restart tells nobody of a power-off.
        (CORE, [("SYS_OFF_MODE_POWER_OFF,", "SYS_OFF_MODE_RESTART,")], "RUN308"),
        # A panic is told whatever the machine was about to do.
        (CORE, [(PANIC, f"\tif (system_state != SYSTEM_RUNNING){AWAY}{PANIC}")], "RUN301"),
        (CORE, [(PANIC, f"\tif (system_state == SYSTEM_POWER_OFF){AWAY}{PANIC}")], "RUN301"),
    ],
)  # fmt: skip
def test_it_is_seen(tmp_path: Path, file: str, changes: list[tuple[str, str]], rules: str) -> None:
    assert _rules(tmp_path, file, *changes) == set(rules.split())


def test_a_stranger_may_have_enabled_a_device(tmp_path: Path) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    change(tree, PCI, ENABLE, "enable_in_some_way(pdev)")
    found = words(tree, SPEC, "6.12")["RUN302"]
    assert not any(isinstance(word, Found) for word in found)
    assert any("unless enable_in_some_way() enables it" in word.why for word in found
               if isinstance(word, Unknown))  # fmt: skip


def test_regions_are_managed_up_to_a_release(tmp_path: Path) -> None:
    request = '\tret = pci_request_region(pdev, 0, "x");\n\tif (ret)\n\t\treturn ret;\n\n'
    for series, rules in (("6.12", set()), ("6.18", {"RUN304"})):
        tree = tmp_path / series
        shutil.copytree(OUT, tree)
        change(tree, PCI, MAP, f"{request}{MAP}")
        assert {rule for rule, _ in said(words(tree, SPEC, series))} == rules
