// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#define CHIMES (1 << 0 | 1 << 3)

struct bell {
	void __iomem *regs;
	u16 chimes;
	u16 enabled;
};

static ssize_t chimes_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct bell *bell = dev_get_drvdata(dev);

	return sysfs_emit(buf, "0x" "%x\n", bell->chimes);
}
static DEVICE_ATTR(chimes, 0444, chimes_show, NULL);

static ssize_t enabled_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t size)
{
	struct bell *bell = dev_get_drvdata(dev);
	u16 enabled;
	int err;

	err = kstrtou16(buf, 10, &enabled);
	if (err)
		return err;
	if (enabled & ~(bell->chimes & CHIMES))
		return -EINVAL;
	bell->enabled = enabled;

	return size;
}
static DEVICE_ATTR_WO(enabled);

static struct attribute *bell_attrs[] = {
	&dev_attr_chimes.attr, &dev_attr_enabled.attr, NULL
};
ATTRIBUTE_GROUPS(bell);
