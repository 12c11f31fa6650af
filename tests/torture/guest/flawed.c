// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One deliberate defect for each detector, to see that the detector speaks in this very kernel.
 * Loading the module commits the defect that the parameter names.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *defect = "";
module_param(defect, charp, 0444);

static unsigned int port;
module_param(port, uint, 0444);
MODULE_PARM_DESC(port, "to which extra-event writes");

static unsigned int event;
module_param(event, uint, 0444);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(lock);

static void use_after_free(void)
{
	volatile char *bytes = kmalloc(16, GFP_KERNEL);

	if (!bytes)
		return;
	kfree((const void *)bytes);
	bytes[3];
}

static void wrong_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void sleep_in_atomic(void)
{
	spin_lock(&lock);
	msleep(1);
	spin_unlock(&lock);
}

static void corrupt_list(void)
{
	LIST_HEAD(head);
	struct list_head entry;

	list_add(&entry, &head);
	list_add(&entry, &head);
}

static void leak(void)
{
	for (int i = 0; i < 200; i++) {
		char *lost = kmalloc(48, GFP_KERNEL);

		if (lost)
			memset(lost, i, 48);
	}
}

static void shift_too_far(void)
{
	volatile int by = 40;
	volatile int value = 1;

	value <<= by;
}

static int raced;

/* Not inlined, or the sum would stay in a register. */
static noinline void race(void)
{
	raced++;
}

static int race_until(void *end)
{
	while (time_before(jiffies, (unsigned long)end))
		race();
	return 0;
}

static void race_each_other(void)
{
	unsigned long end = jiffies + 4 * HZ;

	kthread_run(race_until, (void *)end, "race");
	race_until((void *)end);
	msleep(100);
}

static void extra_event(void)
{
	outb(event, port);
}

static int __init flawed_init(void)
{
	static const struct {
		const char *name;
		void (*commit)(void);
	} defects[] = {
		{ "use-after-free", use_after_free },
		{ "wrong-order", wrong_order },
		{ "sleep-in-atomic", sleep_in_atomic },
		{ "corrupt-list", corrupt_list },
		{ "leak", leak },
		{ "shift-too-far", shift_too_far },
		{ "data-race", race_each_other },
		{ "extra-event", extra_event },
	};

	for (size_t i = 0; i < ARRAY_SIZE(defects); i++) {
		if (!strcmp(defect, defects[i].name)) {
			defects[i].commit();
			return 0;
		}
	}
	return -EINVAL;
}
module_init(flawed_init);

MODULE_DESCRIPTION("deliberate defects");
MODULE_LICENSE("GPL");
