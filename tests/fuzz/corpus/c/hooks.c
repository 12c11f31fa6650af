#include <linux/list.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
struct bell { void __iomem *regs; u16 chimes; struct list_head node; };
static DEFINE_SPINLOCK(bell_lock);
static LIST_HEAD(bells);
static int bell_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	struct bell *bell;
	if (!spin_trylock(&bell_lock))
		return NOTIFY_DONE;
	list_for_each_entry(bell, &bells, node)
		if (bell->chimes & BIT(3))
			iowrite16(BIT(3), bell->regs + 8);
	spin_unlock(&bell_lock);
	return NOTIFY_DONE;
}
static struct notifier_block bell_nb = { .notifier_call = bell_panic, .priority = 12 };
static int __init bell_init(void)
{
	return atomic_notifier_chain_register(&panic_notifier_list, &bell_nb);
}
module_init(bell_init);
