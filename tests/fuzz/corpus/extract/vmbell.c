// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kstrtox.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>

#include "uapi/misc/vmbell.h"
#include "vmbell.h"

enum vmbell_register {
	VMBELL_REG_CHIMES = 4,
	VMBELL_REG_RING = 2 * VMBELL_REG_CHIMES,
};

#define VMBELL_ALL (VMBELL_CRASHED | VMBELL_DUMPING | VMBELL_LEAVING)
#define vmbell_strike(bell, chime) iowrite16((chime), (bell)->regs + VMBELL_REG_RING)

struct vmbell {
	struct list_head entry;
	void __iomem *regs;
	u16 chimes;
	u16 enabled;
};

static LIST_HEAD(vmbell_all);
static DEFINE_SPINLOCK(vmbell_lock);

static void vmbell_ring(u16 chime)
{
	struct vmbell *bell;

	if (!spin_trylock(&vmbell_lock))
		return;
	list_for_each_entry(bell, &vmbell_all, entry)
		if (bell->enabled & chime)
			vmbell_strike(bell, chime);
	spin_unlock(&vmbell_lock);
}

static int vmbell_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	u16 chime = VMBELL_CRASHED;

	if (kexec_crash_loaded())
		chime = VMBELL_DUMPING;
	vmbell_ring(chime);

	return NOTIFY_DONE;
}

static struct notifier_block vmbell_nb = {
	.priority = 3 * 4,
	.notifier_call = vmbell_panic,
};

static struct sys_off_handler *vmbell_off;

static int vmbell_leave(struct sys_off_data *data)
{
	vmbell_ring(VMBELL_LEAVING);

	return NOTIFY_DONE;
}

static ssize_t chimes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct vmbell *bell = dev_get_drvdata(dev);

	return sysfs_emit(buf, "0x" "%x\n", bell->chimes);
}
static DEVICE_ATTR(chimes, 0444, chimes_show, NULL);

static ssize_t enabled_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct vmbell *bell = dev_get_drvdata(dev);

	return sysfs_emit(buf, "0x%x\n", bell->enabled);
}

static ssize_t enabled_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t size)
{
	struct vmbell *bell = dev_get_drvdata(dev);
	u16 enabled;
	int err;

	err = kstrtou16(buf, 10, &enabled);
	if (err)
		return err;
	if (enabled & ~bell->chimes)
		return -EINVAL;
	bell->enabled = enabled;

	return size;
}
static DEVICE_ATTR_ADMIN_RW(enabled);

static struct attribute *vmbell_attrs[] = {
	&dev_attr_chimes.attr,
	&dev_attr_enabled.attr,
	NULL
};

static const struct attribute_group vmbell_group = { .attrs = vmbell_attrs };

const struct attribute_group *vmbell_groups[] = { &vmbell_group, NULL };
EXPORT_SYMBOL_GPL(vmbell_groups);

static void vmbell_detach(void *data)
{
	struct vmbell *bell = data;

	spin_lock(&vmbell_lock);
	list_del(&bell->entry);
	spin_unlock(&vmbell_lock);
}

int vmbell_attach(struct device *dev, void __iomem *regs)
{
	struct vmbell *bell = devm_kzalloc(dev, sizeof(*bell), GFP_KERNEL);
	void __iomem *chimes = regs + VMBELL_REG_CHIMES;

	if (!bell)
		return -ENOMEM;
	bell->regs = regs;
	bell->chimes = ioread16(chimes) & VMBELL_ALL;
	bell->enabled = bell->chimes;
	dev_set_drvdata(dev, bell);
	spin_lock(&vmbell_lock);
	list_add(&bell->entry, &vmbell_all);
	spin_unlock(&vmbell_lock);

	return devm_add_action_or_reset(dev, vmbell_detach, bell);
}
EXPORT_SYMBOL_GPL(vmbell_attach);

static int __init vmbell_init(void)
{
	int err;

	vmbell_off = register_sys_off_handler(SYS_OFF_MODE_POWER_OFF, SYS_OFF_PRIO_HIGH,
					      vmbell_leave, NULL);
	if (IS_ERR(vmbell_off))
		return PTR_ERR(vmbell_off);

	err = atomic_notifier_chain_register(&panic_notifier_list, &vmbell_nb);
	if (err) {
		unregister_sys_off_handler(vmbell_off);
		return err;
	}

	return 0;
}
module_init(vmbell_init);

static void __exit vmbell_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &vmbell_nb);
	unregister_sys_off_handler(vmbell_off);
}
module_exit(vmbell_exit);

MODULE_AUTHOR("A. Ringer <ringer@example.org>");
MODULE_DESCRIPTION("vmbell device driver");
MODULE_LICENSE("GPL");
