# SPDX-License-Identifier: GPL-2.0-or-later
"""One change of a driver's C each, compared with the driver before it and the other way round."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from checks.contract.side import read_tree
from gen.cli import main
from gen.diff.compare import compare
from gen.diff.policy import diff_rules
from gen.diff.report import as_text
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from gen.diff.compare import Comparison
    from gen.diff.records import TreeSide

CORE, PCI, PLATFORM = "pvpanic.c", "pvpanic-pci.c", "pvpanic-mmio.c"
HEADER, KCONFIG, MAKEFILE = "uapi/misc/pvpanic.h", "Kconfig", "Makefile"
IDS = "PCI_DEVICE(PCI_VENDOR_ID_REDHAT, PCI_DEVICE_ID_REDHAT_PVPANIC)"
PROMPT = 'tristate "pvpanic PCI device support"\n'
SEND = "pvpanic_send(kexec_crash_loaded() ? PVPANIC_CRASH_LOADED : PVPANIC_PANICKED);"
HOOKED = ("return atomic_notifier_chain_register(&panic_notifier_list,\n\t\t\t\t\t"
          "      &pvpanic_panic_nb);")  # fmt: skip
SHUTDOWN = "PVPANIC_SHUTDOWN\t_BITUL(2)"
REGISTER = (
    "\treturn atomic_notifier_chain_register(&panic_notifier_list,\n"
    "\t\t\t\t\t      &pvpanic_panic_nb);"
)
ARRANGE = "\treturn devm_add_action_or_reset(dev, pvpanic_unregister, pi);"
GROUP = "static const struct attribute_group pvpanic_group = {\n"
HIDING = (
    "static umode_t pvpanic_visible(struct kobject *kobj, struct attribute *attr, int n)\n"
    "{{\n\treturn {};\n}}\n\n" + GROUP.replace("{", "{{") + "\t.is_visible = pvpanic_visible,\n"
)
BESIDES = ["BEHAV_BESIDES_ADDED"]
STOPPED = "PVPANIC_CRASH_LOADED : PVPANIC_PANICKED);\n\n\treturn NOTIFY_DONE;"
WRITES = "\t\t\tiowrite8(event, pi->base);"
LOCK = "static DEFINE_MUTEX(pvpanic_lock);"
READ = '"%x\\n", READ_ONCE(pi->events))'
PARAMETER = "module_param(loud, int, 0444);"
BOTH_VALUES = ["HOST_BIT_VALUE_CHANGED", "USER_UAPI_VALUE_CHANGED"]
# By name: the file, what is replaced by what, and the rules that fire.
CHANGES: dict[str, tuple[str, str, str, list[str]]] = {
    "bit-reused": (HEADER, SHUTDOWN,
                   "PVPANIC_SHUTDOWN\t_BITUL(3)\n#define PVPANIC_RESET\t_BITUL(2)",
                   [*BOTH_VALUES, "HOST_BIT_REUSED", "USER_UAPI_MACRO_ADDED"]),
    "two-bits": (HEADER, SHUTDOWN, "PVPANIC_SHUTDOWN\t(_BITUL(2) | _BITUL(3))", BOTH_VALUES),
    "same-bit": (HEADER, SHUTDOWN, "PVPANIC_SHUTDOWN\t_BITUL(1)", BOTH_VALUES),
    "number-of-bit": (HEADER, SHUTDOWN, ("PVPANIC_SHUTDOWN_BIT 2\n"
                      "#define PVPANIC_SHUTDOWN (1 << PVPANIC_SHUTDOWN_BIT)"), []),
    "crash-event-never": (CORE, SEND, "pvpanic_send(PVPANIC_PANICKED);",
                          ["HOST_BIT_SILENCED", "HOST_BIT_CONDITION_CHANGED"]),
    "crash-event-dropped": (CORE, "& PVPANIC_KNOWN_EVENTS;",
                            "& (PVPANIC_PANICKED | PVPANIC_SHUTDOWN);", ["HOST_BIT_SILENCED"]),
    "two-occasions": (CORE, SEND, f"{SEND}\n\tpvpanic_send(PVPANIC_SHUTDOWN);",
                      ["HOST_BIT_CONDITION_CHANGED"]),
    "power-off-early": (CORE, "SYS_OFF_MODE_POWER_OFF,", "SYS_OFF_MODE_POWER_OFF_PREPARE,",
                        ["BEHAV_SYSOFF_STAGE_CHANGED"]),
    "die-chain-too": (CORE, HOOKED, f"register_die_notifier(&pvpanic_panic_nb);\n\t{HOOKED}",
                      ["BEHAV_NOTIFIER_ADDED"]),
    "priority-in-hexadecimal": (CORE, ".priority = INT_MAX", ".priority = 0x7fffffff", []),
    "off-at-first": (CORE, "pi->events = pi->capability;", "pi->events = 0;",
                     ["USER_ATTR_DEFAULT_CHANGED"]),
    "mask-only-grows": (CORE, "WRITE_ONCE(pi->events, events);",
                        "WRITE_ONCE(pi->events, pi->events | events);", ["USER_ATTR_MASK_IGNORED"]),
    "mask-ignored": (CORE, "READ_ONCE(pi->events) & event", "pi->capability & event",
                     ["USER_ATTR_MASK_IGNORED"]),
    "nothing-heeded": (CORE, "if (READ_ONCE(pi->events) & event)", "if (event)",
                       ["HOST_CAPABILITY_NEGOTIATION_REMOVED", "USER_ATTR_MASK_IGNORED"]),
    "capability-read-in-vain": (CORE, "ioread8(base) & PVPANIC_KNOWN_EVENTS;",
                                "PVPANIC_KNOWN_EVENTS;\n\tioread8(base);",
                                ["HOST_CAPABILITY_NEGOTIATION_REMOVED"]),
    "read-wider": (CORE, "ioread8(base)", "ioread32(base)", ["HOST_REG_WIDTH_CHANGED"]),
    "written-wider": (CORE, "iowrite8(event", "iowrite32(event", ["HOST_REG_WIDTH_CHANGED"]),
    "directory": (CORE, "pvpanic_group = {", 'pvpanic_group = {\n\t.name = "pvpanic",',
                  ["USER_ATTR_MOVED", "USER_ATTR_MOVED"]),
    "hidden": (CORE, GROUP, HIDING.format("0"), ["USER_ATTR_HIDDEN", "USER_ATTR_HIDDEN"]),
    "shown-by-function": (CORE, GROUP, HIDING.format("attr->mode"), []),
    "load-fails": (CORE, REGISTER, f"\tif (1)\n\t\treturn -ENODEV;\n{REGISTER}",
                   ["HOST_LOAD_REFUSED"]),
    "load-fails-late": (CORE, REGISTER, REGISTER.replace("return ", "") + "\n\treturn -ENODEV;",
                        ["HOST_LOAD_REFUSED"]),
    "bind-fails-late": (CORE, ARRANGE, ARRANGE.replace("return ", "") + "\n\treturn -ENODEV;",
                        ["HOST_PROBE_REFUSES", "HOST_PROBE_REFUSES"]),
    "farther-on-one-bus": (PCI, "(&pdev->dev, base);", "(&pdev->dev, base + 1);",
                           ["HOST_REGISTERS_SHIFTED"]),
    **{f"shows-{name}": (CORE, READ, value, ["USER_ATTR_MEANING_CHANGED"]) for name, value in (
        ("the-other", '"%x\\n", pi->capability)'), ("the-rest", '"%x\\n", ~pi->events)'),
        ("more", '"%x\\n", pi->events | 8)'), ("a-number", '"%x\\n", 7)'),
        ("what-is-off", '"%x\\n", pi->capability & ~pi->events)'))},
    "no-byte-taken": (CORE, "\treturn count;", "\treturn 0;", ["USER_ATTR_STORE_REFUSES"]),
    "nothing-refused": (CORE, "\tif (events & ~pi", "\tif (!events || events & ~pi",
                        ["USER_ATTR_STORE_REFUSES"]),
    "parameter": (CORE, LOCK, f"static int loud;\n{PARAMETER}\n{LOCK}", ["USER_PARAM_ADDED"]),
    "chain-stopped": (CORE, STOPPED, STOPPED.replace("DONE", "STOP"), BESIDES),
    "one-of-several": (CORE, WRITES, f"{{\n{WRITES}\n\t\t\tbreak;\n\t\t}}", BESIDES),
    "told-twice": (CORE, WRITES, f"{{\n{WRITES}\n{WRITES}\n\t\t}}", BESIDES),
    "one-device": (CORE, "\tpi = devm_kzalloc(", ("\tif (!list_empty(&pvpanic_instances))\n"
                   "\t\treturn -EBUSY;\n\tpi = devm_kzalloc("), BESIDES),
    "choosy": (CORE, "\tpi->events = pi->capability;", ("\tif (!pi->capability)\n"
               "\t\treturn -ENODEV;\n\tpi->events = pi->capability;"), BESIDES),
    "handler-for-nobody": (CORE, "if (pi->events & PVPANIC_SHUTDOWN) {", "if (1) {", BESIDES),
    "prompt-condition": (KCONFIG, PROMPT, PROMPT.replace("\n", " if EXPERT\n"),
                         ["BUILD_KCONFIG_PROMPT_CONDITION"]),
    "namespace": (CORE, "EXPORT_SYMBOL_GPL(devm_pvpanic_register);",
                  'EXPORT_SYMBOL_NS_GPL(devm_pvpanic_register, "PVPANIC");',
                  ["BUILD_EXPORT_DELETED"]),
    "no-bound": (CORE, "if (events & ~pi->capability)", "if (events & 0)",
                 ["USER_ATTR_RANGE_WIDENED"]),
    "bound-of-the-driver": (CORE, "if (events & ~pi->capability)",
                            "if (events & ~PVPANIC_KNOWN_EVENTS)", ["USER_ATTR_RANGE_WIDENED"]),
    "all-known-at-first": (CORE, "pi->events = pi->capability;",
                           "pi->events = PVPANIC_KNOWN_EVENTS;",
                           ["HOST_CAPABILITY_NEGOTIATION_REMOVED", "USER_ATTR_DEFAULT_CHANGED"]),
    "bound-in-silence": (CORE, "if (events & ~pi->capability)\n\t\treturn -EINVAL;",
                         "events &= pi->capability;", ["USER_ATTR_ERRNO_CHANGED"]),
    "another-error": (CORE, "~pi->capability)\n\t\treturn -EINVAL;",
                      "~pi->capability)\n\t\treturn -EPERM;", ["USER_ATTR_ERRNO_CHANGED"]),
    "another-error-for-text": (CORE, "if (ret)\n\t\treturn ret;\n\n\tif (events &",
                               "if (ret)\n\t\treturn -EIO;\n\n\tif (events &",
                               ["USER_ATTR_ERRNO_CHANGED"]),
    "another-error-for-more": (CORE, "if (ret)\n\t\treturn ret;\n\n\tif (events &",
                               "if (ret)\n\t\treturn -EINVAL;\n\n\tif (events &",
                               ["USER_ATTR_ERRNO_CHANGED"]),
    "set-though-refused": (CORE, "if (events & ~pi->capability)\n\t\treturn -EINVAL;",
                           ("if (events & ~pi->capability) {\n\t\tWRITE_ONCE(pi->events, events);\n"
                           "\t\treturn -EINVAL;\n\t}"), ["USER_ATTR_RANGE_WIDENED"]),
    "pci-any": (PCI, IDS, "PCI_DEVICE(PCI_VENDOR_ID_REDHAT, PCI_ANY_ID)",
                ["AUTOLOAD_PCI_ID_WIDENED"]),
    "pci-sub": (PCI, IDS, "PCI_DEVICE_SUB(PCI_VENDOR_ID_REDHAT, 0x0011, 0x1af4, 0x1100)",
                ["AUTOLOAD_PCI_ID_NARROWED"]),
    "pci-class": (PCI, IDS, (".vendor = 0x1b36, .device = 0x0011, .subvendor = PCI_ANY_ID, "
                  ".subdevice = PCI_ANY_ID, .class = 0x088000, .class_mask = 0xffff00"),
                  ["AUTOLOAD_PCI_ID_NARROWED"]),
    "pci-table": (PCI, "MODULE_DEVICE_TABLE(pci, pvpanic_pci_ids);\n", "",
                  ["AUTOLOAD_DEVICE_TABLE_EXPORT_REMOVED"]),
    "wrong-table": (PLATFORM, "MODULE_DEVICE_TABLE(acpi, pvpanic_mmio_acpi_ids)",
                    "MODULE_DEVICE_TABLE(acpi, pvpanic_mmio_of_ids)",
                    ["AUTOLOAD_DEVICE_TABLE_EXPORT_REMOVED"]),
    "driver-name": (PCI, '.name = "pvpanic-pci"', '.name = "pvp-pci"',
                    ["AUTOLOAD_DRIVER_NAME_CHANGED"]),
    "module-licence": (PCI, 'MODULE_LICENSE("GPL")', 'MODULE_LICENSE("Proprietary")',
                       ["BUILD_LICENSE_CHANGED"]),
    "probe-fails": (PCI, "ret = pcim_enable_device(pdev);",
                    "return -ENODEV;\n\tret = pcim_enable_device(pdev);", ["HOST_PROBE_REFUSES"]),
    "no-port": (PLATFORM, "base = devm_ioport_map(", "return -EINVAL;\n\t\tbase = devm_ioport_map(",
                ["HOST_RESOURCE_KIND_REMOVED"]),
    "export": (CORE, "EXPORT_SYMBOL_GPL(devm_pvpanic_register);\n", "", ["BUILD_EXPORT_DELETED"]),
    "default": (KCONFIG, PROMPT, f"{PROMPT}\tdefault y\n", ["BUILD_KCONFIG_DEFAULT_CHANGED"]),
    "default-n": (KCONFIG, PROMPT, f"{PROMPT}\tdefault n\n", []),
    "select": (KCONFIG, PROMPT, f"{PROMPT}\tselect CRC32\n", ["BUILD_SELECT_CHANGED"]),
    "imply": (KCONFIG, PROMPT, f"{PROMPT}\timply PVPANIC_MMIO\n", ["BUILD_SELECT_CHANGED"]),
    "depends-on-bus-alone": (KCONFIG, "PCI && PVPANIC", "PCI", ["BUILD_KCONFIG_DEPENDS_LOOSENED"]),
    "depends-on-nothing": (KCONFIG, "\tdepends on PCI && PVPANIC\n", "",
                           ["BUILD_KCONFIG_DEPENDS_LOOSENED"]),
    "depends-without-core": (KCONFIG, "(ACPI || OF) && PVPANIC", "(ACPI || OF)",
                             ["BUILD_KCONFIG_DEPENDS_LOOSENED"]),
    "core-not-built": (MAKEFILE, "(CONFIG_PVPANIC_PCI) += pvpanic.o", "(CONFIG_PVPANIC_PCI) +=",
                       ["BUILD_OBJECT_DROPPED"]),
    "other-symbol": (MAKEFILE, "obj-$(CONFIG_PVPANIC_PCI)", "obj-$(CONFIG_PVPANIC_MMIO)",
                     ["BUILD_KCONFIG_SYMBOL_MOVED", "BUILD_KCONFIG_SYMBOL_MOVED"]),
}  # fmt: skip


# What becomes of a parameter, by name, and the rule that fires.
PARAMETERS = {
    "another-type": ("module_param(loud, uint, 0444);", "USER_PARAM_TYPE_CHANGED"),
    "writable": ("module_param(loud, int, 0644);", "USER_PARAM_MODE_WIDENED"),
    "not-in-sysfs": ("module_param(loud, int, 0);", "USER_PARAM_MODE_NARROWED"),
}


def only_in_c() -> set[str]:
    """The rules of these changes, and their mirrors."""
    rules = {rule for *_, found in CHANGES.values() for rule in found}
    rules |= {rule for _, rule in PARAMETERS.values()}
    return rules | {mirror for rule in rules if (mirror := diff_rules()[rule].mirror)}


@cache
def base() -> TreeSide:
    return read_tree("old", ROOT / "out", "6.1")


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_c_is_told_both_ways(name: str, tmp_path: Path) -> None:
    *_, expected = CHANGES[name]
    other = read_tree("new", changed(tmp_path, name), "6.1")
    assert fired(compare(base(), other)) == Counter(expected)
    mirrors = Counter(diff_rules()[rule].mirror or rule for rule in expected)
    assert fired(compare(other, base())) == mirrors


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("pci-any", 'device: {id: "*"}'),
        ("pci-sub", "subdevice: {id: 0x1100}"),
        ("pci-class", 'class: "088000/ffff00"'),
        ("pci-table", 'autoload: {pci: "no"}'),
        ("two-occasions", 'trigger: "panic, crash-kernel, power-off"'),
        ("nothing-heeded", 'unheeded: "panicked, crash_loaded"'),
        ("shows-a-number", 'shows: "something else"'),
        ("another-error-for-more", "capability, with EINVAL for what is too large"),
        ("module-licence", "    module-license: Proprietary"),
        ("export", "unexported: devm_pvpanic_register"),
    ],
)
def test_a_contract_has_what_no_spec_says(name: str, told: str, tmp_path: Path) -> None:
    tree = changed(tmp_path, name)
    for form in ("yaml", "json"):
        result = CliRunner().invoke(main, ["extract", "--format", form, str(tree)])
        assert result.exit_code == 0
        assert form == "json" or told in result.stdout


@pytest.mark.parametrize(
    "enum",
    ["enum { PVPANIC_SHUTDOWN = 4 };",
     "enum {\n\tPVPANIC_SHUTDOWN = 4,\n#define PVPANIC_SHUTDOWN PVPANIC_SHUTDOWN\n};"],
)  # fmt: skip
def test_an_event_that_became_an_enumerator_is_not_gone(enum: str, tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / HEADER).read_text(encoding="utf-8")
    (tree / HEADER).write_text(text.replace(f"#define {SHUTDOWN}", enum), encoding="utf-8")
    result = compare(base(), read_tree("new", tree, "6.1"))
    assert result.findings == ()
    assert "event[shutdown]" in {one.path for _, one in result.unknown}
    assert not result.complete


def test_none_is_sent_where_the_notifier_is_gone(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / CORE).read_text(encoding="utf-8")
    (tree / CORE).write_text(text.replace(REGISTER, "\treturn 0;"), encoding="utf-8")
    result = compare(base(), read_tree("new", tree, "6.1"))
    seen = [
        one for finding in result.findings for one in finding.witnesses if one.what == "the host"
    ]
    assert [(one.before, one.after) for one in seen] == [
        (("panic: 0x1",), ()), (("crash-kernel: 0x2",), ()),
    ]  # fmt: skip


def test_a_notifier_that_nothing_registers_any_more_is_gone(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / CORE).read_text(encoding="utf-8")
    gone = REGISTER.replace("\treturn atomic_notifier_chain_register",
                            "\tatomic_notifier_chain_unregister")  # fmt: skip
    assert gone.replace("\t      &", "\t &") in text
    text = text.replace(REGISTER, "\treturn 0;").replace(gone.replace("\t      &", "\t &"), "")
    (tree / CORE).write_text(text, encoding="utf-8")
    result = compare(base(), read_tree("new", tree, "6.1"))
    assert result.complete
    assert fired(result) == {"HOST_BIT_SILENCED": 2, "BEHAV_NOTIFIER_REMOVED": 1}
    silenced = [one for one in result.findings if one.rule.id == "HOST_BIT_SILENCED"]
    assert {one.change.at.source.name for one in silenced} == {str(tree / CORE)}


def test_what_takes_no_mask_at_all_is_told_once(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / CORE).read_text(encoding="utf-8")
    parse = "\tret = kstrtouint(buf, 16, &events);"
    text = text.replace(parse, f"\treturn -EOPNOTSUPP;\n\n{parse}")
    (tree / CORE).write_text(text, encoding="utf-8")
    result = compare(base(), read_tree("new", tree, "6.1"))
    assert result.complete
    (finding,) = result.findings
    assert finding.rule.id == "USER_ATTR_STORE_REFUSES"
    assert finding.change.new == "any mask (EOPNOTSUPP)"


# By name: what is replaced in the core file, and what the driver then does besides.
DOINGS = {
    "told at bind": ("\tpi->base = base;\n", "\tpi->base = base;\n\tiowrite8(4, base);\n",
                     "tells a device 0x4 while it binds it"),
    "told at unbind": ("\tlist_del_rcu(&pi->node);\n",
                       "\tlist_del_rcu(&pi->node);\n\tiowrite8(1, pi->base);\n",
                       "tells a device 0x1 while it unbinds it"),
    "none taken": ("\tpi->events = pi->capability;",
                   "\tif (!pi->capability)\n\t\treturn -ENODEV;\n\tpi->events = pi->capability;",
                   "refuses a device that takes no event"),
    "one lacking": ("\tpi->events = pi->capability;", ("\tif (!(pi->capability & 2))\n"
                    "\t\treturn -ENODEV;\n\tpi->events = pi->capability;"),
                    "refuses a device that takes 0x5 and no more"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOINGS)
def test_what_a_driver_does_besides_is_named(name: str, tmp_path: Path) -> None:
    tree, (old, new, expected) = copied(tmp_path), DOINGS[name]
    text = (tree / CORE).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tree / CORE).write_text(text.replace(old, new), encoding="utf-8")
    (finding,) = compare(base(), read_tree("new", tree, "6.1")).findings
    assert finding.change.path == f"besides[{expected}]"


def test_an_attribute_in_no_group_is_hidden(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / CORE).read_text(encoding="utf-8")
    (tree / CORE).write_text(text.replace("\t&dev_attr_capability.attr,\n", ""), encoding="utf-8")
    (finding,) = compare(base(), read_tree("new", tree, "6.1")).findings
    assert (finding.rule.id, finding.change.new) == ("USER_ATTR_HIDDEN", "every device")


def test_a_number_for_user_space_is_no_event(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / HEADER).read_text(encoding="utf-8")
    more = f"#define {SHUTDOWN}\n#define PVPANIC_VERSION 1"
    (tree / HEADER).write_text(text.replace(f"#define {SHUTDOWN}", more), encoding="utf-8")
    result = compare(base(), read_tree("new", tree, "6.1"))
    assert (result.findings, result.complete) == ((), True)
    assert [one.names for one in result.also] == [("#define PVPANIC_VERSION",)]


@pytest.mark.parametrize(
    ("name", "line"),
    [("Makefile", "obj-$(CONFIG_PVPANIC) += pvpanic/"),
     ("Kconfig", 'source "drivers/misc/pvpanic/Kconfig"')],
)  # fmt: skip
def test_a_driver_that_its_kernel_no_longer_builds(name: str, line: str, tmp_path: Path) -> None:
    sides = []
    for which in ("old", "new"):
        misc = tmp_path / which / "drivers" / "misc"
        shutil.copytree(
            ROOT / "out", misc / "pvpanic", ignore=shutil.ignore_patterns("*.o", "*.ko")
        )
        text = f"# all\n{line if which == 'old' else ''}\nobj-y += other.o\n"
        (misc / name).write_text(text, encoding="utf-8")
        sides.append(read_tree(which, tmp_path / which, "6.1"))
    old, new = sides
    result = compare(old, new)
    assert result.findings == ()
    (told,) = result.also
    assert told.names == (line,)
    assert str(told.at).endswith(f"old/drivers/misc/{name}:2:1")


def test_a_mask_is_told_where_it_is_shown(tmp_path: Path) -> None:
    result = compare(base(), read_tree("new", changed(tmp_path, "shows-the-other"), "6.1"))
    (finding,) = result.findings
    assert "sysfs_emit" in finding.change.at.source.line(finding.change.at.line)


def test_no_other_event_takes_the_place_of_one_that_c_drops(tmp_path: Path) -> None:
    old, new = base(), read_tree("new", changed(tmp_path, "crash-event-dropped"), "6.1")
    for result, gone, come in ((compare(old, new), ("crash-kernel: 0x2",), ()),
                               (compare(new, old), (), ("crash-kernel: 0x2",))):  # fmt: skip
        (finding,) = result.findings
        (host,) = finding.witnesses
        assert (host.before, host.after) == (gone, come)


def test_what_is_sent_is_told_where_it_is_sent(tmp_path: Path) -> None:
    result = compare(base(), read_tree("new", changed(tmp_path, "two-occasions"), "6.1"))
    (finding,) = result.findings
    assert finding.change.at.source.name.endswith(f"/{CORE}")
    assert "PVPANIC_SHUTDOWN" in finding.change.at.source.line(finding.change.at.line)


@pytest.mark.parametrize(
    ("name", "what", "gone", "come"),
    [
        ("no-port", "regions", "pvpanic-mmio: io", None),
        ("die-chain-too", "hooks", None, "die-notifier: priority INT_MAX"),
        ("power-off-early", "hooks", "sys-off: last", "sys-off: before devices are shut down"),
    ],
)
def test_what_the_kernel_sees_is_shown(
    name: str, what: str, gone: str | None, come: str | None, tmp_path: Path
) -> None:
    result = compare(base(), read_tree("new", changed(tmp_path, name), "6.1"))
    (witness,) = (one for finding in result.findings for one in finding.witnesses)
    lines = (gone,) if gone else (), (come,) if come else ()
    assert (witness.what, witness.before, witness.after) == (what, *lines)


def fired(result: Comparison) -> Counter[str]:
    return Counter(one.rule.id for one in result.findings)


def changed(tmp_path: Path, name: str) -> Path:
    file, old, new, _ = CHANGES[name]
    tree = copied(tmp_path)
    text = (tree / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tree / file).write_text(text.replace(old, new), encoding="utf-8")
    return tree


def copied(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "out", tree, ignore=shutil.ignore_patterns("*.o", "*.ko", "*.cmd"))
    return tree


@pytest.mark.parametrize("how", ["gone", "loop", "pipe"])
def test_a_file_that_cannot_be_read_is_no_change(how: str, tmp_path: Path) -> None:
    tree = copied(tmp_path)
    (tree / PCI).unlink()
    if how == "loop":
        (tree / PCI).symlink_to(PCI)
    elif how == "pipe":
        os.mkfifo(tree / PCI)
    result = compare(base(), read_tree("new", tree, "6.1"))
    assert result.findings == ()
    assert not result.complete
    told = [(one.path, one.at.source.name) for _, one in result.unknown]
    assert ("driver", str(tree / PCI)) in told
    # What is held back is said, too.
    assert "frontend[pvpanic-pci].pci[1b36:0011]" in dict(told)


def test_an_id_is_gone_whatever_another_file_leaves_open(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    for file, old, new in (
        (PCI, "0x0011", "0x0012"),
        (CORE, "MODULE_LICENSE", "static void idle(void)\n{\n}\nMODULE_LICENSE"),
    ):
        text = (tree / file).read_text(encoding="utf-8")
        (tree / file).write_text(text.replace(old, new), encoding="utf-8")
    result = compare(base(), read_tree("new", tree, "6.1"))
    assert fired(result) == Counter(["AUTOLOAD_PCI_ID_DELETED", "AUTOLOAD_PCI_ID_ADDED"])
    assert not result.complete


@pytest.mark.parametrize("file", [CORE, PCI])
def test_an_option_that_one_side_asks_for_leaves_it_open(file: str, tmp_path: Path) -> None:
    tree = copied(tmp_path)
    place = {CORE: "\t.priority = INT_MAX,\n", PCI: f"\t{{ {IDS} }},\n"}[file]
    text = (tree / file).read_text(encoding="utf-8")
    assert place in text
    text = text.replace(place, f"#ifdef CONFIG_FOO\n{place}#endif\n")
    (tree / file).write_text(text, encoding="utf-8")
    changed = read_tree("new", tree, "6.1")
    assert [(one.path, one.key) for one in changed.unknown] == [("configuration", "FOO")]
    assert not compare(base(), changed).complete
    assert compare(changed, changed).complete


def test_a_priority_that_nothing_defines_is_unknown(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / CORE).read_text(encoding="utf-8")
    (tree / CORE).write_text(text.replace("INT_MAX", "PANIC_PRIO_HIGH"), encoding="utf-8")
    result = compare(base(), read_tree("new", tree, "6.1"))
    assert (result.findings, result.complete) == ((), False)


def test_what_changes_without_a_finding_is_told(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / CORE).read_text(encoding="utf-8")
    text = text.replace("pvpanic_send(", "pvpanic_tell(").replace("/* Whoever", "/*  Whoever")
    text = text.replace(".priority = INT_MAX", ".priority = 1")
    (tree / CORE).write_text(text, encoding="utf-8")
    result = compare(base(), read_tree("new", tree, "6.1"))
    (also,) = result.also
    assert also.file == CORE
    assert also.names == (
        "pvpanic_tell", "pvpanic_power_off_notify", "pvpanic_panic_notify", "pvpanic_send",
    )  # fmt: skip
    assert as_text(result).endswith("\n1 risky; 4 parts of the C changed")
    assert compare(base(), base()).also == ()
    # A function ends with its brace, whatever comes behind it.
    text = text.replace("EXPORT_SYMBOL_GPL(devm_pvpanic_register);\n", "")
    (tree / CORE).write_text(text, encoding="utf-8")
    (after,) = compare(base(), read_tree("new", tree, "6.1")).also
    assert set(after.names) == {*also.names, "EXPORT_SYMBOL_GPL(devm_pvpanic_register)"}


@pytest.mark.parametrize("name", PARAMETERS)
def test_what_changes_of_a_parameter_is_told_both_ways(name: str, tmp_path: Path) -> None:
    now, expected = PARAMETERS[name]
    tree = changed(tmp_path, "parameter")
    old = read_tree("old", tree, "6.1")
    text = (tree / CORE).read_text(encoding="utf-8")
    (tree / CORE).write_text(text.replace(PARAMETER, now), encoding="utf-8")
    new = read_tree("new", tree, "6.1")
    assert fired(compare(old, new)) == Counter([expected])
    assert fired(compare(new, old)) == Counter([diff_rules()[expected].mirror])


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("read-wider", "ioread32(base)"),
        ("written-wider", "iowrite32(event"),
        ("farther-on-one-bus", "base + 1"),
        ("no-byte-taken", "return 0;"),
        ("nothing-refused", "return -EINVAL;"),
        ("chain-stopped", "return NOTIFY_STOP;"),
        ("another-error", "return -EPERM;"),
        ("told-twice", "iowrite8(event, pi->base);"),
        ("handler-for-nobody", "register_sys_off_handler("),
        ("parameter", PARAMETER),
    ],
)
def test_a_finding_stands_at_what_was_changed(name: str, line: str, tmp_path: Path) -> None:
    result = compare(base(), read_tree("new", changed(tmp_path, name), "6.1"))
    (finding,) = result.findings
    assert line in finding.change.at.source.line(finding.change.at.line)


def test_a_probe_of_which_nothing_is_known_leaves_it_open(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    text = (tree / PCI).read_text(encoding="utf-8")
    enabled = "\tret = pcim_enable_device(pdev);"
    assert enabled in text
    text = text.replace(enabled, f"\tif (!pdev->irq)\n\t\treturn -ENODEV;\n\n{enabled}")
    (tree / PCI).write_text(text, encoding="utf-8")
    other = read_tree("new", tree, "6.1")
    for result in (compare(base(), other), compare(other, base())):
        assert (result.findings, result.complete) == ((), False)
    assert compare(other, other).complete
