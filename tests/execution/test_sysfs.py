# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers in other people's styles: files and directories made by hand, a handler of a restart."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from checks.rule import Found, Unknown
from tests.checks.trees import change
from tests.execution.drivers import OUT, SPEC, words

if TYPE_CHECKING:
    from pathlib import Path

CORE, PCI, PLATFORM = "pvpanic.c", "pvpanic-pci.c", "pvpanic-mmio.c"
Edits = tuple[tuple[str, str], ...]
REGISTER = "\treturn devm_add_action_or_reset(dev, pvpanic_unregister, pi);\n"
SEND = "/* Called in any context, including NMI. */\n"
ABOVE = "/**\n * devm_pvpanic_register"
INIT = (
    "\treturn atomic_notifier_chain_register(&panic_notifier_list,\n"
    "\t\t\t\t\t      &pvpanic_panic_nb);"
)
EXIT = "static void __exit pvpanic_exit(void)\n{\n"


def _found(tmp_path: Path, edits: Edits, *, by_hand: bool = False) -> set[str]:
    """The rules that tell of a driver with these changes, of whose calls all are known."""
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    for name in (PCI, PLATFORM) if by_hand else ():
        text = (tree / name).read_text(encoding="utf-8")
        kept = [line for line in text.splitlines(keepends=True) if "= pvpanic_groups" not in line]
        (tree / name).write_text("".join(kept), encoding="utf-8")
    for good, bad in edits:
        change(tree, CORE, good, bad)
    told = words(tree, SPEC)
    assert not [word for items in told.values() for word in items if isinstance(word, Unknown)]
    return {rule for rule, items in told.items() if any(isinstance(w, Found) for w in items)}


BOUND = (
    "\tret = devm_add_action_or_reset(dev, pvpanic_unregister, pi);\n"
    "\tif (ret)\n\t\treturn ret;\n\n"
)
RESULT = (
    "\tstruct pvpanic_instance *pi;\n\n\tpi = devm",
    "\tstruct pvpanic_instance *pi;\n\tint ret;\n\n\tpi = devm",
)
HIDE = "static void pvpanic_hide(void *data)\n{\n\tstruct device *dev = data;\n\n"
LATER = "\treturn devm_add_action_or_reset(dev, pvpanic_hide, dev);\n"
GROUP: Edits = (
    RESULT,
    (ABOVE, f"{HIDE}\tsysfs_remove_group(&dev->kobj, &pvpanic_group);\n}}\n\n{ABOVE}"),
    (REGISTER, (f"{BOUND}\tret = sysfs_create_group(&dev->kobj, &pvpanic_group);\n\tif (ret)\n"
               f"\t\treturn ret;\n\n{LATER}")),
)  # fmt: skip
FILES: Edits = (
    RESULT,
    (ABOVE, (f"{HIDE}\tdevice_remove_file(dev, &dev_attr_events);\n"
            f"\tdevice_remove_file(dev, &dev_attr_capability);\n}}\n\n{ABOVE}")),
    (REGISTER, (f"{BOUND}\tret = device_create_file(dev, &dev_attr_capability);\n\tif (ret)\n"
               "\t\treturn ret;\n\n\tret = device_create_file(dev, &dev_attr_events);\n"
               "\tif (ret) {\n\t\tdevice_remove_file(dev, &dev_attr_capability);\n"
               f"\t\treturn ret;\n\t}}\n\n{LATER}")),
)  # fmt: skip


@pytest.mark.parametrize("edits", [GROUP, FILES])
def test_files_made_by_hand_are_a_devices(tmp_path: Path, edits: Edits) -> None:
    assert _found(tmp_path, edits, by_hand=True) == set()


@pytest.mark.parametrize(
    ("edits", "more", "rule"),
    [
        # Not undone when the device goes, or when the next step fails.
        (GROUP, ("\tsysfs_remove_group(&dev->kobj, &pvpanic_group);\n", ""), "RUN304"),
        (FILES, ("\tdevice_remove_file(dev, &dev_attr_events);\n", ""), "RUN304"),
        (FILES, ("\t\tdevice_remove_file(dev, &dev_attr_capability);\n", ""), "RUN304"),
        # Not made, made in vain, or made of something else.
        (GROUP, ("\t&dev_attr_events.attr,\n", ""), "RUN303"),
        (GROUP, ("pvpanic_group);\n\tif (ret)\n\t\treturn ret;\n\n\treturn",
                 "pvpanic_group);\n\n\treturn"), "RUN307"),
        (FILES, ("device_create_file(dev, &dev_attr_events)",
                 "device_create_file(dev, &dev_attr_capability)"), "RUN307"),
        (FILES, ("device_create_file(dev, &dev_attr_events)",
                 "device_create_file(pi->base, &dev_attr_events)"), "RUN306"),
        # Hidden by the function of their group.
        (GROUP, ("\t.attrs = pvpanic_attrs,", ("\t.attrs = pvpanic_attrs,\n\t"
                 ".is_visible = pvpanic_none,")), "RUN303"),
    ],
)  # fmt: skip
def test_files_made_by_hand_go_wrong(
    tmp_path: Path, edits: Edits, more: tuple[str, str], rule: str
) -> None:
    hidden = (
        "static const struct attribute_group pvpanic_group",
        (
            "static umode_t pvpanic_none(struct kobject *kobj, struct attribute *attr, int n)\n{\n"
            "\treturn 0;\n}\n\nstatic const struct attribute_group pvpanic_group"
        ),
    )
    visible = (hidden,) if "is_visible" in more[1] else ()
    assert _found(tmp_path, (*edits, *visible, more), by_hand=True) == {rule}


MAKE = """\tint ret;

\tpvpanic_kobj = kobject_create_and_add("pvpanic", kernel_kobj);
\tif (!pvpanic_kobj)
\t\treturn -ENOMEM;

\tret = sysfs_create_group(pvpanic_kobj, &pvpanic_group);
\tif (ret)
\t\tgoto put;

\tret = atomic_notifier_chain_register(&panic_notifier_list, &pvpanic_panic_nb);
\tif (ret)
\t\tgoto put;

\treturn 0;

put:
\tkobject_put(pvpanic_kobj);
\treturn ret;"""
PUT = f"{EXIT}\tkobject_put(pvpanic_kobj);\n"
DIRECTORY: Edits = (
    (SEND, f"static struct kobject *pvpanic_kobj;\n\n{SEND}"),
    (INIT, MAKE),
    (EXIT, PUT),
)


def test_a_directory_goes_with_what_is_in_it(tmp_path: Path) -> None:
    assert _found(tmp_path, DIRECTORY) == set()


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ((PUT, EXIT), "RUN304"),
        (("put:\n\tkobject_put(pvpanic_kobj);\n", "put:\n"), "RUN304"),
        (("\tif (!pvpanic_kobj)\n\t\treturn -ENOMEM;\n\n", ""), "RUN306"),
        ((PUT, f"{PUT}\tsysfs_remove_group(pvpanic_kobj, &pvpanic_group);\n"), "RUN306"),
        ((PUT, PUT.replace("\tkobject", "\tkobject_get(pvpanic_kobj);\n\tkobject")), "RUN304"),
    ],
)  # fmt: skip
def test_a_directory_goes_wrong(tmp_path: Path, more: tuple[str, str], rule: str) -> None:
    assert _found(tmp_path, (*DIRECTORY, more)) == {rule}


def test_files_in_somebody_elses_directory_are_not_known(tmp_path: Path) -> None:
    theirs = (
        ('kobject_create_and_add("pvpanic", kernel_kobj);\n', "their_directory();\n"),
        ("sysfs_create_group(pvpanic_kobj,", "sysfs_create_group(kobject_get(pvpanic_kobj),"),
        (PUT, f"{PUT}\tsysfs_remove_group(pvpanic_kobj, &pvpanic_group);\n"),
    )
    assert _found(tmp_path, (*DIRECTORY, *theirs)) == set()


HANDLER = """static int pvpanic_restarting(struct notifier_block *nb,
\t\t\t      unsigned long mode, void *cmd)
{
\treturn NOTIFY_DONE;
}

static struct notifier_block pvpanic_restart_nb = {
\t.notifier_call = pvpanic_restarting,
};

"""
START = "static int __init pvpanic_init(void)\n"
RESTART: Edits = (
    (START, HANDLER + START),
    (INIT, ("\tint ret;\n\n\tret = atomic_notifier_chain_register(&panic_notifier_list,\n"
           "\t\t\t\t\t     &pvpanic_panic_nb);\n"
           "\tif (!ret)\n\t\tregister_restart_handler(&pvpanic_restart_nb);\n\n\treturn ret;")),
    (EXIT, f"{EXIT}\tunregister_restart_handler(&pvpanic_restart_nb);\n"),
)  # fmt: skip


def test_a_restart_handler_that_does_nothing_is_right(tmp_path: Path) -> None:
    assert _found(tmp_path, RESTART) == set()


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        (("\tunregister_restart_handler(&pvpanic_restart_nb);\n", ""), "RUN304"),
        (("\tif (!ret)\n\t\tregister_restart_handler(&pvpanic_restart_nb);\n", ""), "RUN308"),
        (("void *cmd)\n{\n", "void *cmd)\n{\n\tpvpanic_send(PVPANIC_SHUTDOWN);\n"), "RUN301"),
        (("void *cmd)\n{\n", "void *cmd)\n{\n\tsynchronize_rcu();\n"), "RUN305"),
        (("cmd)\n{\n\treturn NOTIFY_DONE;", "cmd)\n{\n\treturn NOTIFY_STOP;"), "RUN308"),
        (("\tif (!ret)\n", "\tregister_restart_handler(&pvpanic_restart_nb);\n\tif (!ret)\n"),
         "RUN308"),
    ],
)  # fmt: skip
def test_a_restart_handler_goes_wrong(tmp_path: Path, more: tuple[str, str], rule: str) -> None:
    assert _found(tmp_path, (*RESTART, more)) == {rule}


@pytest.mark.parametrize(
    ("failed", "rules"), [("return -ENODEV", set()), ("of_node_put(pi->dev->of_node)", {"RUN307"})]
)
def test_users_that_are_counted_are_known(tmp_path: Path, failed: str, rules: set[str]) -> None:
    probe = (
        "\tpi->dev = dev;\n",
        (
            "\tpi->dev = dev;\n\tof_node_put(of_node_get(dev->of_node));\n"
            f"\tif (!try_module_get(THIS_MODULE))\n\t\t{failed};\n"
        ),
    )
    remove = ("\tlist_del_rcu(&pi->node);\n",
              "\tmodule_put(THIS_MODULE);\n\tlist_del_rcu(&pi->node);\n")  # fmt: skip
    assert _found(tmp_path, (probe, remove)) == rules
