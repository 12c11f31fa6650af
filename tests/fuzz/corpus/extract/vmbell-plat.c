// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "vmbell.h"

static int vmbell_plat_probe(struct platform_device *pdev)
{
	struct resource *res = platform_get_mem_or_io(pdev, 0);
	struct device *dev = &pdev->dev;
	void __iomem *regs;

	if (!res)
		return -EINVAL;
	switch (resource_type(res)) {
	case IORESOURCE_MEM:
		regs = devm_ioremap_resource(dev, res);
		break;
	case IORESOURCE_IO:
		regs = devm_ioport_map(dev, res->start, resource_size(res));
		break;
	default:
		return -EINVAL;
	}
	if (IS_ERR_OR_NULL(regs))
		return -ENOMEM;

	return vmbell_attach(dev, regs);
}

static const struct acpi_device_id vmbell_acpi_ids[] = {
	{ "BELL0001", 0 },
	{ "", 0 }
};
MODULE_DEVICE_TABLE(acpi, vmbell_acpi_ids);

static const struct of_device_id vmbell_of_ids[] = {
	{ .compatible = "acme,vmbell", },
	{},
};
MODULE_DEVICE_TABLE(of, vmbell_of_ids);

static struct platform_driver vmbell_plat_driver = {
	.driver.name = "vmbell-plat",
	.driver.acpi_match_table = vmbell_acpi_ids,
	.driver.of_match_table = vmbell_of_ids,
	.driver.dev_groups = vmbell_groups,
	.probe = vmbell_plat_probe,
};
module_platform_driver(vmbell_plat_driver);

MODULE_AUTHOR("A. Ringer <ringer@example.org>");
MODULE_DESCRIPTION("vmbell platform driver");
MODULE_LICENSE("GPL");
