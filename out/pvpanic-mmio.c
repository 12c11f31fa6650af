// SPDX-License-Identifier: GPL-2.0+
/*
 * pvpanic-mmio device driver: platform frontend
 *
 * Made from spec/pvpanic.yaml (sha256 604e210c2026) for Linux 6.1.
 * Do not edit; change the spec and run
 *   pvgen gen --spec spec/pvpanic.yaml --kernel 6.1
 */

#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "pvpanic.h"

static int pvpanic_mmio_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct resource *res;
	void __iomem *base;

	res = platform_get_mem_or_io(pdev, 0);
	if (!res)
		return -EINVAL;

	if (resource_type(res) == IORESOURCE_IO) {
		base = devm_ioport_map(dev, res->start, resource_size(res));
		if (!base)
			return -ENOMEM;
	} else {
		base = devm_ioremap_resource(dev, res);
		if (IS_ERR(base))
			return PTR_ERR(base);
	}

	return devm_pvpanic_register(dev, base);
}

static const struct acpi_device_id pvpanic_mmio_acpi_ids[] = {
	{ .id = "QEMU0001" },
	{ }
};
MODULE_DEVICE_TABLE(acpi, pvpanic_mmio_acpi_ids);

static const struct of_device_id pvpanic_mmio_of_ids[] = {
	{ .compatible = "qemu,pvpanic-mmio" },
	{ }
};
MODULE_DEVICE_TABLE(of, pvpanic_mmio_of_ids);

static struct platform_driver pvpanic_mmio_driver = {
	.probe = pvpanic_mmio_probe,
	.driver = {
		.name = "pvpanic-mmio",
		.acpi_match_table = pvpanic_mmio_acpi_ids,
		.of_match_table = pvpanic_mmio_of_ids,
		.dev_groups = pvpanic_groups,
	},
};
module_platform_driver(pvpanic_mmio_driver);

MODULE_AUTHOR("Hu Tao <hutao@cn.fujitsu.com>");
MODULE_DESCRIPTION("pvpanic-mmio device driver");
MODULE_LICENSE("GPL");
