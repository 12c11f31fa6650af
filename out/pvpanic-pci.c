// SPDX-License-Identifier: GPL-2.0+
/*
 * pvpanic device driver: PCI frontend
 *
 * Made from spec/pvpanic.yaml (sha256 604e210c2026) for Linux 6.1.
 * Do not edit; change the spec and run
 *   pvgen gen --spec spec/pvpanic.yaml --kernel 6.1
 */

#include <linux/errno.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "pvpanic.h"

#define PCI_DEVICE_ID_REDHAT_PVPANIC	0x0011

static int pvpanic_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void __iomem *base;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;

	base = pcim_iomap(pdev, 0, 0);
	if (!base)
		return -ENOMEM;

	return devm_pvpanic_register(&pdev->dev, base);
}

static const struct pci_device_id pvpanic_pci_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT, PCI_DEVICE_ID_REDHAT_PVPANIC) },
	{ }
};
MODULE_DEVICE_TABLE(pci, pvpanic_pci_ids);

static struct pci_driver pvpanic_pci_driver = {
	.name = "pvpanic-pci",
	.id_table = pvpanic_pci_ids,
	.probe = pvpanic_pci_probe,
	.dev_groups = pvpanic_groups,
};
module_pci_driver(pvpanic_pci_driver);

MODULE_AUTHOR("Mihai Carabas <mihai.carabas@oracle.com>");
MODULE_DESCRIPTION("pvpanic device driver");
MODULE_LICENSE("GPL");
