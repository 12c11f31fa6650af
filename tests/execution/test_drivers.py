# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole drivers: the rendered ones are silent, changed ones are not, mainline has no error."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from checks.rule import Found, NotApplicable, Unknown, Word, rules
from checks.run import check_paths
from gen.generate import find_target, generate, read_device
from gen.lab.problem import LabError
from gen.output import write
from tests.checks.trees import change
from tests.execution.drivers import OUT, SPEC, SPECS, said, words
from tests.kbuild.kernels import source_tree

BUDGET = 1.0  # seconds of computing for a whole driver, on a slow machine
CORE, PCI, PLATFORM = "pvpanic.c", "pvpanic-pci.c", "pvpanic-mmio.c"


@pytest.mark.parametrize("series", ["6.1", "6.12", "7.2", "7.3"])
@pytest.mark.parametrize("spec", [SPEC, SPECS / "acme_watch.yaml", SPECS / "mite.yaml"])
def test_a_rendered_driver_behaves(tmp_path: Path, spec: Path, series: str) -> None:
    write(tmp_path / "out", generate(spec, series, None).files)
    assert said(words(tmp_path / "out", spec, series)) == []


def test_the_rendered_driver_is_run_quickly() -> None:
    words(OUT, SPEC)
    start = time.process_time()
    assert said(words(OUT, SPEC)) == []
    assert time.process_time() - start < BUDGET


@pytest.mark.parametrize(
    ("file", "good", "bad", "rule"),
    [
        (CORE, "& PVPANIC_KNOWN_EVENTS;", ";", "RUN303"),
        (CORE, "pi->events = pi->capability;", "pi->events = PVPANIC_PANICKED;", "RUN303"),
        (CORE, "pvpanic_send(PVPANIC_SHUTDOWN);", "pvpanic_send(PVPANIC_PANICKED);", "RUN301"),
        (CORE, "iowrite8(event, pi->base);", "iowrite8(pi->events, pi->base);", "RUN301"),
        (CORE, "WRITE_ONCE(pi->events, events);", "WRITE_ONCE(pi->events, 0);", "RUN303"),
        (CORE, "devm_kzalloc(dev, sizeof(*pi), GFP_KERNEL)", "devm_kzalloc(dev, 8, GFP_KERNEL)",
         "RUN306"),
        (CORE, "\tpi->base = base;\n", "", "RUN306"),
        (CORE, "\tlist_del_rcu(&pi->node);\n", "", "RUN308"),
        (CORE, "\tlist_del_rcu(&pi->node);\n", "\tlist_del(&pi->node);\n", "RUN306"),
        (CORE, "list_add_rcu(", "list_add(", "RUN309"),
        (CORE, "pvpanic_unregister, pi);", "pvpanic_unregister, dev);", "RUN306"),
        (CORE, "dev_set_drvdata(dev, pi);", "dev_set_drvdata(dev, dev);", "RUN306"),
        (CORE, "\tpi->dev = dev;\n", "", "RUN306"),
        (CORE, "if (wanting && !pvpanic_power_off_handler)", "if (wanting)", "RUN308"),
        (CORE, "\t} else if (!wanting) {\n", "\t} else if (0) {\n", "RUN308"),
        (CORE, "PVPANIC_PANICKED);\n\n\treturn NOTIFY_DONE;",
         "PVPANIC_PANICKED);\n\tsynchronize_rcu();\n\n\treturn NOTIFY_DONE;", "RUN305"),
        (CORE, "kstrtouint(buf, 16, &events);", "kstrtou8(buf, 16, &events);", "RUN306"),
        (CORE, "kstrtouint(buf, 16, &events);", 'sscanf(buf, "%x", &events) - 1;', "RUN303"),
        (CORE, "\trcu_read_unlock();\n", "", "RUN309"),
        (CORE, 'sysfs_emit(buf, "%x\\n", pi->capability)',
         'sysfs_emit_at(buf, 1, "%x\\n", pi->capability)', "RUN303"),
        (CORE, 'sysfs_emit(buf, "%x\\n", pi->capability)',
         'sysfs_emit_at(buf, PAGE_SIZE, "%x\\n", pi->capability)', "RUN306"),
        (CORE, 'sysfs_emit(buf, "%x\\n", pi->capability)',
         'sysfs_emit(buf + 1, "%x\\n", pi->capability)', "RUN306"),
        (PCI, "\tbase = pcim_iomap", "\tpci_set_power_state(pdev, PCI_D3hot);\n\tbase = pcim_iomap",
         "RUN302"),
        (PCI, "\tif (!base)\n\t\treturn -ENOMEM;\n\n", "", "RUN306"),
        (PCI, "\tif (ret)\n\t\treturn ret;\n", "", "RUN302"),
        (PCI, "pcim_iomap(", "pci_iomap(", "RUN304"),
        (PLATFORM, "if (IS_ERR(base))", "if (!base)", "RUN306"),
        (PLATFORM, "\t\treturn -EINVAL;", "\t\treturn 0;", "RUN307"),
        (PLATFORM, "devm_ioport_map(dev, res->start", "devm_ioport_map(dev, res->end + 1",
         "RUN302"),
    ],
)  # fmt: skip
def test_a_defect_is_shown(tmp_path: Path, file: str, good: str, bad: str, rule: str) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    change(tree, file, good, bad)
    found = {item for item, _ in said(words(tree, SPEC))}
    assert found == set(rule.split())


def changed(tmp_path: Path, file: str, good: str, bad: str) -> Path:
    """A copy of the rendered driver in which one thing is another."""
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    change(tree, file, good, bad)
    return tree


def test_a_device_that_was_woken_again_answers(tmp_path: Path) -> None:
    steps = "".join(
        f"\tret = pci_set_power_state(pdev, {state});\n\tif (ret)\n\t\treturn ret;\n\n"
        for state in ("PCI_D3hot", "PCI_D0")
    )
    tree = changed(tmp_path, PCI, "\tbase = pcim_iomap", f"{steps}\tbase = pcim_iomap")
    assert said(words(tree, SPEC)) == []


def test_the_bytes_of_a_register_have_an_order(tmp_path: Path) -> None:
    spec = SPECS / "acme_watch.yaml"
    write(tmp_path / "out", generate(spec, "6.12", None).files)
    (core,) = (one for one in (tmp_path / "out").glob("*.c") if "iowrite16(" in one.read_text())
    change(tmp_path / "out", core.name, "iowrite16(", "iowrite16be(")
    assert {rule for rule, _ in said(words(tmp_path / "out", spec, "6.12"))} == {"RUN301"}
    report = check_paths([tmp_path / "out"], read_device(spec), find_target("6.12", None).kernel)
    (told,) = (item for item in report.findings if item.rule == "SPEC002")
    assert "in the big-endian order" in told.message


def test_an_accessor_that_nobody_knows_may_write(tmp_path: Path) -> None:
    tree = changed(tmp_path, CORE, "iowrite8(event", "iowrite8_slowly(event")
    report = check_paths([tree], read_device(SPEC), find_target("6.1", None).kernel)
    assert report.findings == ()
    for rule in ("SPEC001", "SPEC006"):
        (why,) = (item.why for item in report.judgements if item.rule.id == rule)
        assert "iowrite8_slowly()" in str(why)


def test_a_failing_probe_tells_its_error_and_its_resource(tmp_path: Path) -> None:
    other = "platform_get_mem_or_io(pdev, 1)"
    tree = changed(tmp_path, PLATFORM, other.replace("1", "0"), other)
    (found,) = words(tree, SPEC)["RUN307"]
    assert isinstance(found, Found)
    assert found.message == "probe fails with -EINVAL though nothing has failed"
    assert "platform device A with one " in str(found.help)


def test_the_shortest_tale_is_told(tmp_path: Path) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    change(tree, CORE, "if (READ_ONCE(pi->events) & event)", "if (pi->capability & event)")
    (found,) = words(tree, SPEC)["RUN301"]
    assert isinstance(found, Found)
    assert "whose mask does not have this event" in found.message
    assert found.help is not None
    steps = found.help.split("; ")
    assert [step[:2] for step in steps[1:]] == ["2.", "3."]
    assert "writes '0\\n' to 'events'" in steps[1]
    assert found.spec is not None
    assert found.spec.source.name.endswith("pvpanic.yaml")


def test_what_is_not_understood_is_no_finding(tmp_path: Path) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    change(tree, CORE, "\tif (ret)\n\t\treturn ret;\n\n\tif (events", "\tif (events")
    change(tree, CORE, "ret = kstrtouint(buf, 16, &events);", 'sscanf(buf, "%[^x]", &events);')
    said_of = words(tree, SPEC)
    assert all(isinstance(item, Unknown) for items in said_of.values() for item in items)
    assert all(items for items in said_of.values())


def test_a_part_of_a_driver_is_not_run(tmp_path: Path) -> None:
    shutil.copy(OUT / PCI, tmp_path)
    said_of = words(tmp_path / PCI, SPEC)
    assert all(isinstance(items[0], NotApplicable) for items in said_of.values())


@pytest.mark.kbuild
@pytest.mark.parametrize("series", ["6.1", "6.12", "7.3"])
def test_mainline_has_warnings_only(series: str) -> None:
    try:
        tree = source_tree(series)
    except LabError as error:
        pytest.skip(f"mainline's sources of {series} cannot be fetched: {error}")
    found = {rule for rule, _ in said(words(tree, SPEC, series, series))}
    assert not {rule for rule in found if rules()[rule].gates}
    # It gives up on a panic that interrupts the holder of its lock.
    assert "RUN311" in found
    # From 6.10 on each device wants a handler of its own.
    assert ("RUN312" in found) == (series != "6.1")
    # Since then a store has a handler that follows from the mask, and no lock.
    assert ("RUN313" in found) == (series != "6.1")


NEEDS = "\tlockdep_assert_held(&pvpanic_lock);\n\n"


GIVE, TAKE = "\tmutex_unlock(&pvpanic_lock);\n", "\tmutex_lock(&pvpanic_lock);\n"
SET, HOOK = "\tWRITE_ONCE(pi->events, events);\n", "\tpvpanic_power_off_update();\n"


@pytest.mark.parametrize(
    ("bad", "race"),
    [
        (f"{SET}{HOOK}", True),
        (f"{TAKE}{SET}{GIVE}{HOOK}", True),
        (f"\tpi->events = 0;\n\tpi->events |= events;\n{TAKE}{HOOK}{GIVE}", True),
        # The handler follows from whatever mask there is by then: this is right.
        (f"{SET}{TAKE}{HOOK}{GIVE}", False),
    ],
)
def test_two_writers_at_once_need_the_lock(tmp_path: Path, bad: str, *, race: bool) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    change(tree, CORE, NEEDS, "")
    change(tree, CORE, f"{TAKE}{SET}{HOOK}{GIVE}", bad)
    assert [rule for rule, _ in said(words(tree, SPEC))] == ["RUN313"] * race


def test_two_users_that_wait_for_each_other_are_seen(tmp_path: Path) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    change(tree, CORE, "static DEFINE_MUTEX(pvpanic_lock);\n",
           "static DEFINE_MUTEX(pvpanic_lock);\nstatic DEFINE_MUTEX(pvpanic_mask);\n")  # fmt: skip
    change(tree, CORE, "\tmutex_lock(&pvpanic_lock);\n\tWRITE_ONCE(pi->events, events);\n",
           "\tmutex_lock(&pvpanic_mask);\n\tmutex_lock(&pvpanic_lock);\n"
           "\tWRITE_ONCE(pi->events, events);\n\tmutex_unlock(&pvpanic_mask);\n")  # fmt: skip
    change(tree, CORE, "\tmutex_lock(&pvpanic_lock);\n\tlist_add_rcu",
           "\tmutex_lock(&pvpanic_lock);\n\tmutex_lock(&pvpanic_mask);\n"
           "\tmutex_unlock(&pvpanic_mask);\n\tlist_add_rcu")  # fmt: skip
    found = [item for item in words(tree, SPEC)["RUN305"] if isinstance(item, Found)]
    assert ["a deadlock" in item.message for item in found] == [True]


CLASSIC = Path(__file__).parent / "classic"
FILE = "acme_watch.c"


def test_a_driver_of_another_style_behaves() -> None:
    assert said(words(CLASSIC, SPECS / "acme_watch.yaml")) == []


@pytest.mark.parametrize(
    ("good", "bad", "rule", "where"),
    [
        ("\t\tgoto free;", "\t\tgoto release;", "RUN304", "kmalloc"),
        ("\tif (ret)\n\t\tgoto unmap;\n", "", "RUN307", "atomic_notifier_chain_register"),
        ("\tpci_disable_device(pdev);\n\tkfree(watch);", "\tkfree(watch);", "RUN304",
         "pci_enable_device"),
        ("\tatomic_notifier_chain_unregister(&panic_notifier_list, &watch->nb);\n", "",
         "RUN304 RUN306", None),
        ("\tmemset(watch, 0, sizeof(*watch));\n", "", "RUN306", None),
        ("\twatch_hook(watch, 0);\n", "", "RUN308", "register_sys_off_handler"),
        ("\tpci_iounmap(pdev, watch->regs.base);\n\tpci_release",
         "\tkfree(watch);\n\tpci_iounmap(pdev, watch->regs.base);\n\tpci_release", "RUN306", None),
        ("spin_unlock_irqrestore(&watch->lock, flags);", "spin_unlock(&watch->lock);", "RUN309",
         "spin_unlock"),
        ("\tspin_lock_init(&watch->lock);\n", "", "RUN309", "spin_lock_irqsave"),
        ("ret = len;", "ret = 0;", "RUN303", "active_store"),
        ("\tif (!(watch->on & event))", "\tspin_lock(&watch->lock);\n\tif (!(watch->on & event))",
         "RUN309", "spin_lock"),
        ("base + 4;", "base + 2;", "RUN302", "ioread16"),
        ("moments[i].mode == data->mode", "moments[i].mode != data->mode", "RUN301", "iowrite16"),
    ],
)  # fmt: skip
def test_its_defects_are_shown(
    tmp_path: Path, good: str, bad: str, rule: str, where: str | None
) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(CLASSIC, tree)
    change(tree, FILE, good, bad)
    found = said(words(tree, SPECS / "acme_watch.yaml"))
    assert {item for item, _ in found} == set(rule.split())
    assert all(text.startswith(where) for _, text in found if where)


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_driver_is_judged_without_a_crash(tmp_path: Path, seed: int) -> None:
    tree = tmp_path / "driver"
    shutil.copytree(OUT, tree)
    path = tree / CORE
    lines = path.read_text(encoding="utf-8").split("\n")
    chance = random.Random(seed)  # noqa: S311 (the same damage every time)
    for _ in range(3):
        number = chance.randrange(len(lines))
        words_of = lines[number].split(" ")
        words_of[chance.randrange(len(words_of))] = chance.choice(
            ("", "0", "dev", "*", "&pi->node")
        )
        lines[number] = " ".join(words_of)
    path.write_text("\n".join(lines), encoding="utf-8")
    found = words(tree, SPEC)
    assert all(isinstance(item, Word) for items in found.values() for item in items)
