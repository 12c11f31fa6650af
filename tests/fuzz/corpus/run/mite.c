// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp_types.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/list.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/platform_device.h>
#include <linux/spinlock.h>

struct mite {
	void __iomem *regs;
	u32 able;
	struct list_head node;
};

static DEFINE_SPINLOCK(mite_lock);
static LIST_HEAD(mites);

static int mite_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	struct mite *mite;

	if (!kexec_crash_loaded() || !spin_trylock(&mite_lock))
		return NOTIFY_DONE;
	list_for_each_entry(mite, &mites, node)
		if (mite->able & BIT(31))
			iowrite32(BIT(31), mite->regs + 8);
	spin_unlock(&mite_lock);
	return NOTIFY_DONE;
}

static struct notifier_block mite_nb = { .notifier_call = mite_panic, .priority = -5 };

static void mite_gone(void *data)
{
	struct mite *mite = data;

	spin_lock(&mite_lock);
	list_del(&mite->node);
	spin_unlock(&mite_lock);
}

static int mite_probe(struct platform_device *pdev)
{
	struct mite *mite = devm_kzalloc(&pdev->dev, sizeof(*mite), GFP_KERNEL);

	if (!mite)
		return -ENOMEM;
	mite->regs = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(mite->regs))
		return PTR_ERR(mite->regs);
	mite->able = ioread32(mite->regs) & BIT(31);
	spin_lock(&mite_lock);
	list_add(&mite->node, &mites);
	spin_unlock(&mite_lock);
	return devm_add_action_or_reset(&pdev->dev, mite_gone, mite);
}

static const struct acpi_device_id mite_ids[] = { { "MITE0001", 0 }, { "MITE0002", 0 }, { } };
MODULE_DEVICE_TABLE(acpi, mite_ids);

static struct platform_driver mite_driver = {
	.probe = mite_probe,
	.driver = { .name = "mite-platform", .acpi_match_table = mite_ids },
};

static int __init mite_init(void)
{
	int err = platform_driver_register(&mite_driver);

	if (err)
		return err;
	err = atomic_notifier_chain_register(&panic_notifier_list, &mite_nb);
	if (err)
		platform_driver_unregister(&mite_driver);
	return err;
}
module_init(mite_init);

static void __exit mite_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &mite_nb);
	platform_driver_unregister(&mite_driver);
}
module_exit(mite_exit);

MODULE_LICENSE("GPL v2");
