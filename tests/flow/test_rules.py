# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules on small drivers: good ones are silent, bad ones fire where they are bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.flow.analysis import flow_of
from checks.rule import CHECKS, Unknown
from tests.flow.snippets import context, said

if TYPE_CHECKING:
    from pathlib import Path

NOTIFIER = """\
static struct notifier_block nb = { .notifier_call = notify };
static int __init start(void) { return atomic_notifier_chain_register(&panic_notifier_list, &nb); }
module_init(start);
static void __exit stop(void) { atomic_notifier_chain_unregister(&panic_notifier_list, &nb); }
module_exit(stop);
"""
NOTIFY = "static int notify(struct notifier_block *b, unsigned long action, void *data)\n"
# The end of a probe that lists its instance, and a remove that waits for the readers.
LISTED = """\
	pci_set_drvdata(pdev, b);
	mutex_lock(&slow);
	list_add_rcu(&b->entry, &all);
	mutex_unlock(&slow);
	return 0;
}
static void remove(struct pci_dev *pdev)
{
	struct bell *b = pci_get_drvdata(pdev);
	mutex_lock(&slow);
	list_del_rcu(&b->entry);
	mutex_unlock(&slow);
	synchronize_rcu();
"""
DRIVER = 'static struct pci_driver drv = { .name = "x", .probe = probe, .remove = remove };\n'

GOOD = {
    "what is on the stack, and in nobody's hands at the end": """\
struct ask { int *answer; struct list_head entry; };
static int *last;
static void wait(struct ask *outer)
{
	int answer = 0;
	struct ask one = { }, *ask = &one;
	ask->answer = &answer;
	outer->answer = &answer;
	last = &answer;
	mutex_lock(&slow);
	list_add(&one.entry, &all);
	list_del(&one.entry);
	mutex_unlock(&slow);
	outer->answer = NULL;
	last = NULL;
}
void gather(struct ask *outer)
{
	LIST_HEAD(gone);
	list_add(&outer->entry, &gone);
}
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct ask ask;
	wait(&ask);
	return 0;
}
""" + DRIVER.replace(".probe = probe, .remove = remove", ".probe = probe"),
    "unwinding by goto": """\
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct bell *b;
	int err = pci_enable_device(pdev);
	if (err)
		return err;
	err = -ENOMEM;
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		goto disable;
	b->regs = pci_iomap(pdev, 0, 0);
	if (!b->regs)
		goto release;
	pci_set_drvdata(pdev, b);
	return 0;
release:
	kfree(b);
disable:
	pci_disable_device(pdev);
	return err;
}
static void remove(struct pci_dev *pdev)
{
	struct bell *b = pci_get_drvdata(pdev);
	pci_iounmap(pdev, b->regs);
	kfree(b);
	pci_disable_device(pdev);
}
""" + DRIVER,
    "a list under RCU": NOTIFY + """\
{
	struct bell *b;
	rcu_read_lock();
	list_for_each_entry_rcu(b, &all, entry)
		iowrite8(b->mask, b->regs);
	rcu_read_unlock();
	return NOTIFY_DONE;
}
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct bell *b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	b->regs = pcim_iomap(pdev, 0, 0);
	if (!b->regs) {
		kfree(b);
		return -ENOMEM;
	}
	b->mask = 1;
""" + LISTED + """\
	kfree(b);
}
""" + DRIVER + NOTIFIER,
    "readers that keep the scheduler away": NOTIFY + """\
{
	unsigned long flags;
	struct bell *b;
	preempt_disable();
	list_for_each_entry_rcu(b, &all, entry)
		iowrite8(b->mask, b->regs);
	preempt_enable();
	local_irq_save(flags);
	rcu_read_lock();
	rcu_read_unlock();
	list_for_each_entry_rcu(b, &all, entry)
		iowrite8(b->mask, b->regs);
	local_irq_restore(flags);
	return NOTIFY_OK;
}
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct bell *b = devm_kzalloc(&pdev->dev, sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
""" + LISTED + "}\n" + DRIVER + NOTIFIER,
    "references that a remove gives back": """\
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	pci_dev_get(pdev);
	return 0;
}
static void remove(struct pci_dev *pdev) { put_device(&pdev->dev); }
""" + DRIVER,
    "a trylock with interrupts off": NOTIFY + """\
{
	unsigned long flags;
	if (!spin_trylock_irqsave(&big, flags))
		return NOTIFY_DONE;
	spin_unlock_irqrestore(&big, flags);
	return NOTIFY_DONE;
}
""" + NOTIFIER,
    "helpers that take and give back": """\
static void enter(struct bell *b) { spin_lock(&b->lock); }
static void leave(struct bell *b) { spin_unlock(&b->lock); }
void make(struct bell *b) { spin_lock_init(&b->lock); }
int use(struct bell *b) { int mask; enter(b); mask = b->mask; leave(b); return mask; }
""",
    "an interruptible lock": """\
int use(struct bell *b)
{
	if (mutex_lock_interruptible(&slow))
		return -EBUSY;
	b->mask = 1;
	mutex_unlock(&slow);
	return 0;
}
""",
    "a safe walk": """\
static void __exit stop(void)
{
	struct bell *b, *n;
	list_for_each_entry_safe(b, n, &all, entry) {
		list_del(&b->entry);
		kfree(b);
	}
}
module_exit(stop);
""",
    "a walk that ends at a deletion": """\
void drop(struct bell *wanted)
{
	struct bell *b;
	mutex_lock(&slow);
	list_for_each_entry(b, &all, entry)
		if (b == wanted) {
			list_del(&b->entry);
			break;
		}
	mutex_unlock(&slow);
}
""",
    "guards": """\
int use(struct bell *b)
{
	guard(mutex)(&slow);
	if (!b->mask)
		return -EINVAL;
	scoped_guard(spinlock, &big) {
		b->mask = 0;
	}
	return 0;
}
""",
    "one device in globals": """\
static void __iomem *base;
static void write_event(unsigned int event)
{
	iowrite8(event, base);
}
""" + NOTIFY + """\
{
	if (kexec_crash_loaded())
		write_event(2);
	else
		write_event(1);
	return NOTIFY_DONE;
}
static struct notifier_block nb = { .notifier_call = notify };
static int bind(struct platform_device *pdev)
{
	base = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(base))
		return PTR_ERR(base);
	atomic_notifier_chain_register(&panic_notifier_list, &nb);
	return 0;
}
static int unbind(struct platform_device *pdev)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &nb);
	return 0;
}
static struct platform_driver drv = { .driver.name = "x", .probe = bind, .remove = unbind };
static int add(struct acpi_device *device)
{
	base = ioport_map(0x505, 1);
	if (!base)
		return -ENODEV;
	atomic_notifier_chain_register(&panic_notifier_list, &nb);
	return 0;
}
static int drop(struct acpi_device *device)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &nb);
	ioport_unmap(base);
	return 0;
}
static struct acpi_driver acpi = { .ops = { .add = add, .remove = drop } };
static int __init start(void)
{
	return acpi_disabled ? platform_driver_register(&drv) : 0;
}
static void __exit stop(void)
{
	if (acpi_disabled)
		platform_driver_unregister(&drv);
}
module_init(start);
module_exit(stop);
""",
    "a fallback": """\
int map(struct pci_dev *pdev, struct bell *b)
{
	b->regs = pcim_iomap(pdev, 0, 0);
	if (!b->regs)
		b->regs = pcim_iomap(pdev, 1, 0);
	if (!b->regs)
		return -ENOMEM;
	return 0;
}
""",
    "memory that is freed where it was allocated": """\
int once(void)
{
	int *p = kmalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	*p = 1;
	kfree(p);
	return 0;
}
""",
    "members in one go": """\
int sum(struct bell *b)
{
	spin_lock_irq(&b->lock);
	b->mask++;
	spin_unlock_irq(&b->lock);
	return b->mask;
}
void make(struct bell *b) { spin_lock_init(&b->lock); INIT_LIST_HEAD(&b->entry); }
""",
}  # fmt: skip

BAD = {
    "a list, a device and a variable that keep what is on the stack": ("""\
struct keeper { int *kept; struct list_head entry; };
static int *last;
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct keeper *k = devm_kzalloc(&pdev->dev, sizeof(*k), GFP_KERNEL);
	int mask = 0, masks[2] = { };
	struct keeper one = { };
	if (!k)
		return -ENOMEM;
	k->kept = &mask;
	last = masks;
	mutex_lock(&slow);
	list_add(&one.entry, &all);
	mutex_unlock(&slow);
	pci_set_drvdata(pdev, &one);
	return 0;
}
""" + DRIVER.replace(".probe = probe, .remove = remove", ".probe = probe"),
        [("KERN112", 13), ("KERN156", 10), ("KERN156", 11), ("KERN156", 13), ("KERN156", 15)]),
    "a reference that only an error path gives back": ("""\
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	pci_dev_get(pdev);
	if (!pdev->vendor) {
		pci_dev_put(pdev);
		return -ENODEV;
	}
	return 0;
}
static void remove(struct pci_dev *pdev) { }
""" + DRIVER, [("KERN112", 3)]),
    "a section begun and ended in two ways": ("""\
void use(void)
{
	preempt_disable();
	local_irq_enable();
}
""", [("KERN107", 4)]),
    "enabled and left on": ("""\
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void *p;
	int err = pci_enable_device(pdev);
	if (err)
		return err;
	p = kzalloc(1, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	kfree(p);
	return 0;
}
static void remove(struct pci_dev *pdev) { pci_disable_device(pdev); }
""" + DRIVER, [("KERN111", 9)]),
    "freed at once": (NOTIFY + """\
{
	struct bell *b;
	rcu_read_lock();
	list_for_each_entry_rcu(b, &all, entry)
		iowrite8(b->mask, b->regs);
	rcu_read_unlock();
	return NOTIFY_DONE;
}
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct bell *b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	b->regs = NULL;
	b->mask = 1;
	pci_set_drvdata(pdev, b);
	mutex_lock(&slow);
	list_add_rcu(&b->entry, &all);
	mutex_unlock(&slow);
	return 0;
}
static void remove(struct pci_dev *pdev)
{
	struct bell *b = pci_get_drvdata(pdev);
	mutex_lock(&slow);
	list_del_rcu(&b->entry);
	mutex_unlock(&slow);
	kfree(b);
}
""" + DRIVER + NOTIFIER, [("KERN145", 27)]),
    "other flags": ("""\
int use(struct bell *b)
{
	unsigned long flags, others = 0;
	spin_lock_irqsave(&big, flags);
	b->mask = 1;
	spin_unlock_irqrestore(&big, others);
	return 0;
}
""", [("KERN108", 6)]),
    "taken again below": ("""\
static void below(struct bell *b)
{
	mutex_lock(&slow);
	b->mask = 1;
	mutex_unlock(&slow);
}
void use(struct bell *b)
{
	mutex_lock(&slow);
	below(b);
	mutex_unlock(&slow);
}
void also(struct bell *b)
{
	below(b);
}
""", [("KERN107", 10)]),
    "undone under the lock that undoing takes": ("""\
static void undo(void *data)
{
	struct bell *b = data;
	mutex_lock(&slow);
	list_del(&b->entry);
	mutex_unlock(&slow);
}
int make(struct device *dev, struct bell *b)
{
	guard(mutex)(&slow);
	list_add(&b->entry, &all);
	return devm_add_action_or_reset(dev, undo, b);
}
""", [("KERN107", 12)]),
    "kept though it failed": ("""\
struct made { struct sys_off_handler *handler; };
int leave(struct sys_off_data *data)
{
	return NOTIFY_DONE;
}
void make(struct made *m)
{
	struct sys_off_handler *handler;
	handler = register_sys_off_handler(SYS_OFF_MODE_POWER_OFF, 0, leave, NULL);
	if (IS_ERR(handler))
		pr_warn("no handler\\n");
	m->handler = handler;
}
""", [("KERN116", 12)]),
    "list and entry swapped": ("""\
void put(struct bell *b)
{
	mutex_lock(&slow);
	list_add(&all, &b->entry);
	mutex_unlock(&slow);
}
int count(void)
{
	struct bell *b;
	int n = 0;
	mutex_lock(&slow);
	list_for_each_entry(b, &all, entry)
		n++;
	mutex_unlock(&slow);
	return n;
}
""", [("KERN131", 4)]),
    "sleeps below a lock": ("""\
static void below(void)
{
	synchronize_rcu();
}
void use(void)
{
	spin_lock(&big);
	below();
	spin_unlock(&big);
}
""", [("KERN102", 8)]),
    "a lock in a structure that nobody makes": ("""\
void use(struct bell *b)
{
	spin_lock(&b->lock);
	b->mask = 1;
	spin_unlock(&b->lock);
}
""", [("KERN131", 3)]),
    "a trylock that nobody looks at": ("""\
void use(struct bell *b)
{
	spin_trylock(&big);
	b->mask = 1;
	spin_unlock(&big);
}
""", [("KERN107", 5)]),
    "an error that is success": ("""\
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void __iomem *regs = pcim_iomap(pdev, 0, 0);
	if (!regs)
		return PTR_ERR(regs);
	return 0;
}
static void remove(struct pci_dev *pdev) { }
""" + DRIVER, [("KERN119", 5)]),
    "overwritten": ("""\
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pcim_enable_device(pdev);
	err = pci_request_region(pdev, 0, "x");
	if (err)
		return err;
	return 0;
}
static void remove(struct pci_dev *pdev) { pci_release_regions(pdev); }
""" + DRIVER, [("KERN118", 3)]),
    "a mutex in a panic": (NOTIFY + """\
{
	if (!mutex_trylock(&slow))
		return NOTIFY_DONE;
	mutex_unlock(&slow);
	return NOTIFY_DONE;
}
""" + NOTIFIER, [("KERN105", 3)]),
    "a chain that is stopped": (NOTIFY + """\
{
	return NOTIFY_BAD;
}
""" + NOTIFIER, [("KERN141", 3)]),
}  # fmt: skip


@pytest.mark.parametrize("case", list(GOOD))
def test_a_good_driver_is_silent(tmp_path: Path, case: str) -> None:
    assert said(tmp_path, GOOD[case]) == []


@pytest.mark.parametrize("case", list(BAD))
def test_a_bad_driver_is_not(tmp_path: Path, case: str) -> None:
    text, expected = BAD[case]
    assert said(tmp_path, text) == expected


def test_what_was_not_followed_is_unknown(tmp_path: Path) -> None:
    tests = "\n".join(f"if (a{n}) g();" for n in range(14))
    names = ", ".join(f"int a{n}" for n in range(14))
    seen = context(tmp_path, f"int g(void);\nint f({names}) {{ {tests} return 0; }}")
    words = list(CHECKS["KERN106"](seen))
    assert [type(word) for word in words] == [Unknown]


def test_a_strange_function_in_a_panic_is_unknown(tmp_path: Path) -> None:
    text = "void strange(void);\n" + NOTIFY + "{ strange(); return NOTIFY_DONE; }\n" + NOTIFIER
    words = list(CHECKS["KERN101"](context(tmp_path, text)))
    assert [type(word) for word in words] == [Unknown]


def test_roles_spread_through_helpers(tmp_path: Path) -> None:
    text = (
        "static void below(void) { }\n" + NOTIFY + "{ below(); return NOTIFY_DONE; }\n" + NOTIFIER
    )
    flow = flow_of(context(tmp_path, text))
    roles = {function.name: dict(found) for function, found in flow.roles.items()}
    assert roles["below"] == {"panic": ("notify", "below")}
    assert set(roles) == {"below", "notify", "start", "stop"}
