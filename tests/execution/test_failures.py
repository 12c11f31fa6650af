# SPDX-License-Identifier: GPL-2.0-or-later
"""Two causes in one boot, stores and loads with a failing call, and other parameters."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.checks.trees import change
from tests.execution.drivers import OUT, SPEC, said, words

if TYPE_CHECKING:
    from pathlib import Path

CORE = "pvpanic.c"
HANDLER = "static struct sys_off_handler *pvpanic_power_off_handler;\n"
WALK = "\trcu_read_lock();\n\tlist_for_each_entry_rcu"
STORE = "\tpvpanic_power_off_update();\n\tmutex_unlock(&pvpanic_lock);\n\n\treturn count;"
REGISTER = "atomic_notifier_chain_register(&panic_notifier_list,"
INIT = f"\treturn {REGISTER}\n\t\t\t\t\t      &pvpanic_panic_nb);\n"
EXIT = "static void __exit pvpanic_exit(void)\n{\n"
DIRECTORY = (HANDLER, f"{HANDLER}static struct dentry *directory;\n")
PARAMETER = (HANDLER, f"{HANDLER}static bool quiet;\nmodule_param(quiet, bool, 0444);\n")
REMOVE = (EXIT, f"{EXIT}\tdebugfs_remove_recursive(directory);\n")
REFUSE = """	pvpanic_power_off_update();
	if (pi->events & PVPANIC_SHUTDOWN && !pvpanic_power_off_handler) {{
{}		mutex_unlock(&pvpanic_lock);
		return -EIO;
	}}
	mutex_unlock(&pvpanic_lock);

	return count;"""
ONCE = "\tstatic bool told;\n\n\tif (told{0})\n\t\treturn;\n\ttold = true;\n\n"
LOCAL = "\tstruct pvpanic_instance *pi;\n\n"


def _starts(check: str) -> tuple[str, str]:
    start = f"\tint ret = {REGISTER} &pvpanic_panic_nb);\n\n\tif (ret)\n\t\treturn ret;\n"
    made = '\tdirectory = debugfs_create_dir("x", NULL);\n'
    return INIT, f"{start}{made}{check}\treturn 0;\n"


def _found(tmp_path: Path, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    for good, bad in changes:
        change(tree, CORE, good, bad)
    return said(words(tree, SPEC))


def test_a_power_off_does_not_swallow_a_panic(tmp_path: Path) -> None:
    swallowed = (f"{LOCAL}{WALK}", f"{LOCAL[:-1]}{ONCE.format('')}{WALK}")
    assert ("RUN301", "pvpanic_panic_notify(struct notifier_block *nb,") in _found(
        tmp_path, swallowed
    )


def test_an_event_that_goes_once_may_swallow_itself(tmp_path: Path) -> None:
    once = ONCE.format(" && event == PVPANIC_SHUTDOWN").replace(
        "told = true", "told = event == PVPANIC_SHUTDOWN"
    )
    assert not _found(tmp_path, (f"{LOCAL}{WALK}", f"{LOCAL[:-1]}{once}{WALK}"))


def test_a_directory_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    gives_up = "\tif (IS_ERR(directory))\n\t\treturn PTR_ERR(directory);\n\n"
    assert [rule for rule, _ in _found(tmp_path, DIRECTORY, _starts(gives_up), REMOVE)] == [
        "RUN304"
    ]


@pytest.mark.parametrize("removed", [True, False])
def test_a_directory_goes_with_its_module(tmp_path: Path, removed: bool) -> None:
    changes = [DIRECTORY, _starts("")] + [REMOVE] * removed
    found = _found(tmp_path, *changes)
    assert found == [] if removed else [rule for rule, _ in found] == ["RUN304"]


def test_no_parameter_keeps_a_notifier_registered(tmp_path: Path) -> None:
    leaves = (EXIT, f"{EXIT}\tif (quiet)\n\t\treturn;\n")
    assert [rule for rule, _ in _found(tmp_path, PARAMETER, leaves)] == ["RUN304"]


def test_a_parameter_may_switch_events_off(tmp_path: Path) -> None:
    silent = (f"{LOCAL}{WALK}", f"{LOCAL}\tif (quiet)\n\t\treturn;\n\n{WALK}")
    assert not _found(tmp_path, PARAMETER, silent)


@pytest.mark.parametrize("restored", [True, False])
def test_a_refused_store_changes_nothing(tmp_path: Path, restored: bool) -> None:
    back = "\t\tWRITE_ONCE(pi->events, old);\n" if restored else ""
    changes = [(STORE, REFUSE.format(back))]
    if restored:
        write = "\tWRITE_ONCE(pi->events, events);\n"
        changes.append((write, f"\told = pi->events;\n{write}"))
        changes.append(
            ("\tunsigned int events;\n\tint ret;", "\tunsigned int events, old;\n\tint ret;")
        )
    found = _found(tmp_path, *changes)
    assert found == [] if restored else {rule for rule, _ in found} == {"RUN303"}


def test_the_mask_that_is_there_may_be_no_change(tmp_path: Path) -> None:
    write = "\tWRITE_ONCE(pi->events, events);\n\tpvpanic_power_off_update();\n"
    same = f"\tif (pi->events != events) {{\n{write}\t}}\n"
    assert not _found(tmp_path, (write, same))


ALLOCATED = "\tpi = devm_kzalloc(dev, sizeof(*pi), GFP_KERNEL);\n"
HASHED = (
    ("struct list_head node;", "struct hlist_node node;"),
    ("static LIST_HEAD(", "static HLIST_HEAD("),
    ("list_for_each_entry_rcu(", "hlist_for_each_entry_rcu("),
    ("list_for_each_entry(", "hlist_for_each_entry("),
    ("list_del_rcu(", "hlist_del_rcu("),
)


@pytest.mark.parametrize("last", ["hlist_add_head_rcu(", "hlist_add_head("])
def test_a_list_with_a_short_head_is_walked(tmp_path: Path, last: str) -> None:
    found = _found(tmp_path, *HASHED, ("\tlist_add_rcu(", f"\t{last}"))
    assert [rule for rule, _ in found] == ([] if last.endswith("rcu(") else ["RUN309"])


@pytest.mark.parametrize("taken", [True, False])
def test_a_variable_that_its_scope_frees_is_handed_on_first(tmp_path: Path, taken: bool) -> None:
    scoped = "\tstruct pvpanic_instance *own __free(kfree) = kzalloc(sizeof(*own), GFP_KERNEL);\n"
    given = "\tpi = no_free_ptr(own);\n" if taken else "\tpi = own;\n"
    found = _found(tmp_path, (ALLOCATED, f"{scoped}{given}"))
    assert {rule for rule, _ in found} == ({"RUN304"} if taken else {"RUN306"})


def test_a_text_does_not_fit_where_it_is_copied(tmp_path: Path) -> None:
    parse = "\tret = kstrtouint(buf, 16, &events);\n"
    copied = "\tchar text[4];\n\n\tstrcpy(text, buf);\n\tret = kstrtouint(text, 16, &events);\n"
    assert [rule for rule, _ in _found(tmp_path, (parse, copied))] == ["RUN306"]


@pytest.mark.parametrize("masked", [True, False])
def test_a_file_of_debugfs_respects_the_masks(tmp_path: Path, masked: bool) -> None:
    gate = "pi->events & val" if masked else "val"
    trigger = f"""static int pull(void *data, u64 val)
{{
	struct pvpanic_instance *pi;

	mutex_lock(&pvpanic_lock);
	list_for_each_entry(pi, &pvpanic_instances, node)
		if ({gate})
			iowrite8(val, pi->base);
	mutex_unlock(&pvpanic_lock);

	return 0;
}}
DEFINE_DEBUGFS_ATTRIBUTE(pull_fops, NULL, pull, "%llu\\n");

static int __init pvpanic_init(void)
"""
    made = '\tdebugfs_create_file_unsafe("pull", 0200, directory, NULL, &pull_fops);\n'
    start = ("static int __init pvpanic_init(void)\n", trigger)
    found = _found(tmp_path, DIRECTORY, _starts(made), start, REMOVE)
    assert [rule for rule, _ in found] == ([] if masked else ["RUN301"])


@pytest.mark.parametrize(
    ("test", "rules"),
    [("in_nmi()", ["RUN301"]), ("!oops_in_progress", []), ("oops_in_progress", ["RUN301"]),
     ("preemptible()", [])],
)  # fmt: skip
def test_a_panic_is_told_in_any_context(tmp_path: Path, test: str, rules: list[str]) -> None:
    send = "\tpvpanic_send(kexec_crash_loaded()"
    gated = (send, f"\tif ({test})\n\t\treturn NOTIFY_DONE;\n\n{send}")
    assert [rule for rule, _ in _found(tmp_path, gated)] == rules
