// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/pci.h>

#include "vmbell.h"

#define VMBELL_BAR		2
#define PCI_DEVICE_ID_VMBELL	0x10f7

static int vmbell_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void __iomem *regs;
	int err;

	err = pcim_enable_device(pdev);
	if (err)
		return err;
	regs = pcim_iomap(pdev, VMBELL_BAR, 0);
	if (!regs)
		return -ENOMEM;

	return vmbell_attach(&pdev->dev, regs);
}

static const struct pci_device_id vmbell_pci_ids[] = {
	{ PCI_VDEVICE(REDHAT_QUMRANET, PCI_DEVICE_ID_VMBELL) },
	{ }
};
MODULE_DEVICE_TABLE(pci, vmbell_pci_ids);

static struct pci_driver vmbell_pci_driver = {
	.name = "vmbell-pci",
	.id_table = vmbell_pci_ids,
	.probe = vmbell_pci_probe,
	.dev_groups = vmbell_groups,
};
module_pci_driver(vmbell_pci_driver);

MODULE_AUTHOR("A. Ringer <ringer@example.org>");
MODULE_DESCRIPTION("vmbell PCI driver");
MODULE_LICENSE("GPL");
