#include <linux/platform_device.h>
#include <linux/slab.h>
static int bell_probe(struct platform_device *pdev)
{
	struct resource *res = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	struct bell *bell = kzalloc(sizeof(*bell), GFP_KERNEL);
	void __iomem *base;
	if (!res || !bell)
		goto free;
	switch (resource_type(res)) {
	case IORESOURCE_IO:
		base = ioport_map(res->start, resource_size(res));
		break;
	default:
		base = ioremap(res->start, 12);
	}
	if (base)
		return 0;
free:
	kfree(bell);
	return -ENOMEM;
}
static const struct acpi_device_id bell_ids[] = { { "BELL0001", 0 }, { "", 0 } };
MODULE_DEVICE_TABLE(acpi, bell_ids);
