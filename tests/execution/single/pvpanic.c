// SPDX-License-Identifier: GPL-2.0-only
/* A driver from before there were frontends: one file and one device, found in one of two ways. */
#include <linux/acpi.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/kexec.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/types.h>

static struct {
	void __iomem *regs;
	bool port;
} bell;

static int bell_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	iowrite8(kexec_crash_loaded() ? 2 : 1, bell.regs);
	return NOTIFY_DONE;
}

static struct notifier_block bell_nb = {
	.notifier_call = bell_panic,
	.priority = 100,
};

static acpi_status bell_resource(struct acpi_resource *res, void *context)
{
	struct resource *found = context;

	if (acpi_dev_resource_io(res, found)) {
		bell.port = true;
		bell.regs = ioport_map(found->start, resource_size(found));
	} else if (acpi_dev_resource_memory(res, found)) {
		bell.port = false;
		bell.regs = ioremap(found->start, resource_size(found));
	}
	return AE_OK;
}

static int bell_add(struct acpi_device *adev)
{
	struct resource res;
	acpi_status status;
	int err;

	err = acpi_bus_get_status(adev);
	if (err)
		return err;
	if (!adev->status.present || !adev->status.functional)
		return -ENODEV;

	bell.regs = NULL;
	status = acpi_walk_resources(adev->handle, METHOD_NAME__CRS, bell_resource, &res);
	if (status != AE_OK || !bell.regs)
		return -ENODEV;
	return atomic_notifier_chain_register(&panic_notifier_list, &bell_nb);
}

static int bell_remove(struct acpi_device *adev)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &bell_nb);
	if (bell.port)
		ioport_unmap(bell.regs);
	else
		iounmap(bell.regs);
	return 0;
}

static const struct acpi_device_id bell_acpi_ids[] = {
	{ "QEMU0001" },
	{ }
};
MODULE_DEVICE_TABLE(acpi, bell_acpi_ids);

static struct acpi_driver bell_acpi_driver = {
	.name = "bell",
	.class = "bell",
	.ids = bell_acpi_ids,
	.ops = { .add = bell_add, .remove = bell_remove },
	.owner = THIS_MODULE,
};

static int bell_probe(struct platform_device *pdev)
{
	void __iomem *regs = devm_platform_ioremap_resource(pdev, 0);

	if (IS_ERR(regs))
		return PTR_ERR(regs);
	bell.regs = regs;
	return atomic_notifier_chain_register(&panic_notifier_list, &bell_nb);
}

static int bell_gone(struct platform_device *pdev)
{
	return atomic_notifier_chain_unregister(&panic_notifier_list, &bell_nb);
}

static const struct of_device_id bell_of_ids[] = {
	{ .compatible = "qemu,pvpanic-mmio" },
	{ }
};
MODULE_DEVICE_TABLE(of, bell_of_ids);

static struct platform_driver bell_platform_driver = {
	.probe = bell_probe,
	.remove = bell_gone,
	.driver = {
		.name = "bell",
		.of_match_table = bell_of_ids,
	},
};

static int __init bell_init(void)
{
	if (!acpi_disabled)
		return acpi_bus_register_driver(&bell_acpi_driver);
	return platform_driver_register(&bell_platform_driver);
}
module_init(bell_init);

static void __exit bell_exit(void)
{
	if (!acpi_disabled)
		acpi_bus_unregister_driver(&bell_acpi_driver);
	else
		platform_driver_unregister(&bell_platform_driver);
}
module_exit(bell_exit);

MODULE_DESCRIPTION("A bell that a panic rings");
MODULE_LICENSE("GPL");
