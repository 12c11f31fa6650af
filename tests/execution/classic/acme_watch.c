// SPDX-License-Identifier: GPL-2.0-only
/* A driver in the classic style: nothing managed, one notifier for each device, errors unwound. */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/pci.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>

enum {
	DUMPING = 1 << 0,
	DYING = 1 << 3,
	LEAVING = 1 << 9,
	BACK_SOON = 1 << 15,
	ALL = DUMPING | DYING | LEAVING | BACK_SOON,
};

struct watch {
	struct notifier_block nb;
	struct pci_dev *pdev;
	struct {
		void __iomem *base;
		void __iomem *status;
	} regs;
	u16 able;
	u16 on;
	struct sys_off_handler *handlers[2];
	spinlock_t lock;
	struct mutex changing;
	unsigned int told;
};

static const struct {
	u16 event;
	enum sys_off_mode mode;
} moments[] = {
	{ LEAVING, SYS_OFF_MODE_POWER_OFF },
	{ BACK_SOON, SYS_OFF_MODE_RESTART },
};

static void watch_tell(struct watch *watch, u16 event)
{
	if (!(watch->on & event))
		return;
	iowrite16(event, watch->regs.status);
	watch->told++;
}

static int watch_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	struct watch *watch = container_of(nb, struct watch, nb);

	watch_tell(watch, kexec_crash_loaded() ? DUMPING : DYING);
	return NOTIFY_DONE;
}

static int watch_leaves(struct sys_off_data *data)
{
	struct watch *watch = data->cb_data;
	int i = 0;

	do {
		if (moments[i].mode == data->mode)
			watch_tell(watch, moments[i].event);
	} while (++i < ARRAY_SIZE(moments));
	return NOTIFY_DONE;
}

static void watch_hook(struct watch *watch, u16 on)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(moments); i++) {
		struct sys_off_handler **handler = &watch->handlers[i];

		if ((on & moments[i].event) && !*handler) {
			*handler = register_sys_off_handler(moments[i].mode, SYS_OFF_PRIO_DEFAULT,
							    watch_leaves, watch);
			if (IS_ERR(*handler)) {
				dev_warn(&watch->pdev->dev, "no handler: %ld\n", PTR_ERR(*handler));
				*handler = NULL;
			}
		} else if (!(on & moments[i].event)) {
			unregister_sys_off_handler(*handler);
			*handler = NULL;
		}
	}
}

static ssize_t supported_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct watch *watch = dev_get_drvdata(dev);

	return sprintf(buf, "0x%x\n", watch->able);
}
static DEVICE_ATTR(supported, 0400, supported_show, NULL);

static ssize_t active_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct watch *watch = dev_get_drvdata(dev);

	return scnprintf(buf, 4096, "%u\n", watch->on);
}

static ssize_t active_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t len)
{
	struct watch *watch = dev_get_drvdata(dev);
	unsigned long flags, on;
	int ret;

	ret = kstrtoul(buf, 0, &on);
	if (ret < 0)
		goto out;
	ret = -EINVAL;
	if ((on & watch->able) != on)
		goto out;
	mutex_lock(&watch->changing);
	spin_lock_irqsave(&watch->lock, flags);
	watch->on = on;
	spin_unlock_irqrestore(&watch->lock, flags);
	watch_hook(watch, on);
	mutex_unlock(&watch->changing);
	ret = len;
out:
	return ret;
}
static DEVICE_ATTR_ADMIN_RW(active);

static struct attribute *watch_attrs[] = {
	&dev_attr_supported.attr,
	&dev_attr_active.attr,
	NULL,
};
ATTRIBUTE_GROUPS(watch);

static int watch_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct watch *watch;
	int ret = pci_enable_device(pdev);

	if (ret)
		return ret;
	ret = pci_request_regions(pdev, "acme-watch-pci");
	if (ret)
		goto disable;
	ret = -ENOMEM;
	watch = kmalloc(sizeof(*watch), GFP_KERNEL);
	if (!watch)
		goto release;
	memset(watch, 0, sizeof(*watch));
	watch->regs.base = pci_iomap(pdev, 2, 0);
	if (!watch->regs.base)
		goto free;
	watch->regs.status = (u8 __iomem *)watch->regs.base + 4;
	watch->pdev = pdev;
	spin_lock_init(&watch->lock);
	mutex_init(&watch->changing);
	watch->able = ioread16(watch->regs.status) & ALL;
	watch->on = watch->able;
	watch->nb.notifier_call = watch_panic;
	watch->nb.priority = 200;
	pci_set_drvdata(pdev, watch);
	ret = atomic_notifier_chain_register(&panic_notifier_list, &watch->nb);
	if (ret)
		goto unmap;
	watch_hook(watch, watch->on);
	return 0;

unmap:
	pci_iounmap(pdev, watch->regs.base);
free:
	kfree(watch);
release:
	pci_release_regions(pdev);
disable:
	pci_disable_device(pdev);
	return ret;
}

static void watch_remove(struct pci_dev *pdev)
{
	struct watch *watch = pci_get_drvdata(pdev);

	watch_hook(watch, 0);
	atomic_notifier_chain_unregister(&panic_notifier_list, &watch->nb);
	pci_iounmap(pdev, watch->regs.base);
	pci_release_regions(pdev);
	pci_disable_device(pdev);
	kfree(watch);
}

static const struct pci_device_id watch_ids[] = {
	{ PCI_DEVICE(0x1de0, 0xf00d) },
	{ }
};
MODULE_DEVICE_TABLE(pci, watch_ids);

static struct pci_driver watch_driver = {
	.name = "acme-watch-pci",
	.id_table = watch_ids,
	.probe = watch_probe,
	.remove = watch_remove,
	.dev_groups = watch_groups,
};
module_pci_driver(watch_driver);

MODULE_DESCRIPTION("ACME guest watch");
MODULE_LICENSE("GPL");
