// SPDX-License-Identifier: GPL-2.0+
/*
 * pvpanic device driver
 *
 * Made from spec/pvpanic.yaml (sha256 604e210c2026) for Linux 6.1.
 * Do not edit; change the spec and run
 *   pvgen gen --spec spec/pvpanic.yaml --kernel 6.1
 */

#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp_types.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/reboot.h>
#include <linux/sysfs.h>
#include <linux/types.h>

#include "pvpanic.h"
#include "uapi/misc/pvpanic.h"

#define PVPANIC_KNOWN_EVENTS \
	(PVPANIC_PANICKED | PVPANIC_CRASH_LOADED | PVPANIC_SHUTDOWN)

/**
 * struct pvpanic_instance - a bound device
 * @dev: the device
 * @base: its mapped registers
 * @capability: events that both the device and this driver know, constant
 * @events: events to send, a subset of @capability; written under pvpanic_lock
 * @node: entry in pvpanic_instances
 */
struct pvpanic_instance {
	struct device *dev;
	void __iomem *base;
	unsigned int capability;
	unsigned int events;
	struct list_head node;
};

/*
 * pvpanic_lock protects changes to the list, the event masks and
 * pvpanic_power_off_handler. Sending takes RCU only, because a panic may have
 * interrupted the holder of the lock.
 */
static DEFINE_MUTEX(pvpanic_lock);
static LIST_HEAD(pvpanic_instances);
static struct sys_off_handler *pvpanic_power_off_handler;

/* Called in any context, including NMI. */
static void pvpanic_send(unsigned int event)
{
	struct pvpanic_instance *pi;

	rcu_read_lock();
	list_for_each_entry_rcu(pi, &pvpanic_instances, node) {
		if (READ_ONCE(pi->events) & event)
			iowrite8(event, pi->base);
	}
	rcu_read_unlock();
}

static int pvpanic_power_off_notify(struct sys_off_data *data)
{
	pvpanic_send(PVPANIC_SHUTDOWN);

	return NOTIFY_DONE;
}

/*
 * The kernel takes any registered handler to mean that it can power the machine
 * off, and would not fall back to halting it: register one only while an
 * instance wants PVPANIC_SHUTDOWN.
 */
static void pvpanic_power_off_update(void)
{
	struct pvpanic_instance *pi, *wanting = NULL;
	struct sys_off_handler *handler;

	lockdep_assert_held(&pvpanic_lock);

	list_for_each_entry(pi, &pvpanic_instances, node) {
		if (pi->events & PVPANIC_SHUTDOWN) {
			wanting = pi;
			break;
		}
	}

	if (wanting && !pvpanic_power_off_handler) {
		/* The last resort: firmware and board handlers come first. */
		handler = register_sys_off_handler(SYS_OFF_MODE_POWER_OFF,
						   SYS_OFF_PRIO_LOW,
						   pvpanic_power_off_notify, NULL);
		if (IS_ERR(handler))
			dev_warn(wanting->dev,
				 "cannot register power-off handler: %pe\n", handler);
		else
			pvpanic_power_off_handler = handler;
	} else if (!wanting) {
		unregister_sys_off_handler(pvpanic_power_off_handler);
		pvpanic_power_off_handler = NULL;
	}
}

static ssize_t capability_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	struct pvpanic_instance *pi = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%x\n", pi->capability);
}
static DEVICE_ATTR_RO(capability);

static ssize_t events_show(struct device *dev,
			   struct device_attribute *attr, char *buf)
{
	struct pvpanic_instance *pi = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%x\n", READ_ONCE(pi->events));
}

static ssize_t events_store(struct device *dev,
			    struct device_attribute *attr,
			    const char *buf, size_t count)
{
	struct pvpanic_instance *pi = dev_get_drvdata(dev);
	unsigned int events;
	int ret;

	ret = kstrtouint(buf, 16, &events);
	if (ret)
		return ret;

	if (events & ~pi->capability)
		return -EINVAL;

	mutex_lock(&pvpanic_lock);
	WRITE_ONCE(pi->events, events);
	pvpanic_power_off_update();
	mutex_unlock(&pvpanic_lock);

	return count;
}
static DEVICE_ATTR_RW(events);

static struct attribute *pvpanic_attrs[] = {
	&dev_attr_capability.attr,
	&dev_attr_events.attr,
	NULL
};

static const struct attribute_group pvpanic_group = {
	.attrs = pvpanic_attrs,
};

const struct attribute_group *pvpanic_groups[] = {
	&pvpanic_group,
	NULL
};
EXPORT_SYMBOL_GPL(pvpanic_groups);

static void pvpanic_unregister(void *data)
{
	struct pvpanic_instance *pi = data;

	mutex_lock(&pvpanic_lock);
	list_del_rcu(&pi->node);
	pvpanic_power_off_update();
	mutex_unlock(&pvpanic_lock);

	/* Whoever is still sending uses the instance and its registers, which go next. */
	synchronize_rcu();
}

/**
 * devm_pvpanic_register - report events to a device until its driver is unbound
 * @dev: the device; its driver data is used by this module from now on
 * @base: its registers; a managed mapping made earlier, so that it is unmapped later
 *
 * Return: 0, or a negative error number.
 */
int devm_pvpanic_register(struct device *dev, void __iomem *base)
{
	struct pvpanic_instance *pi;

	pi = devm_kzalloc(dev, sizeof(*pi), GFP_KERNEL);
	if (!pi)
		return -ENOMEM;

	pi->dev = dev;
	pi->base = base;
	/* Leave alone what only newer devices know. */
	pi->capability = ioread8(base) & PVPANIC_KNOWN_EVENTS;
	pi->events = pi->capability;
	dev_set_drvdata(dev, pi);

	mutex_lock(&pvpanic_lock);
	list_add_rcu(&pi->node, &pvpanic_instances);
	pvpanic_power_off_update();
	mutex_unlock(&pvpanic_lock);

	return devm_add_action_or_reset(dev, pvpanic_unregister, pi);
}
EXPORT_SYMBOL_GPL(devm_pvpanic_register);

static int pvpanic_panic_notify(struct notifier_block *nb,
				unsigned long action, void *data)
{
	pvpanic_send(kexec_crash_loaded() ? PVPANIC_CRASH_LOADED : PVPANIC_PANICKED);

	return NOTIFY_DONE;
}

static struct notifier_block pvpanic_panic_nb = {
	.notifier_call = pvpanic_panic_notify,
	/* Tell the host first: a later notifier may hang or crash. */
	.priority = INT_MAX,
};

static int __init pvpanic_init(void)
{
	return atomic_notifier_chain_register(&panic_notifier_list,
					      &pvpanic_panic_nb);
}
module_init(pvpanic_init);

static void __exit pvpanic_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list,
					 &pvpanic_panic_nb);
}
module_exit(pvpanic_exit);

MODULE_AUTHOR("Mihai Carabas <mihai.carabas@oracle.com>");
MODULE_DESCRIPTION("pvpanic device driver");
MODULE_LICENSE("GPL");
