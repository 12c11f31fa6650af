// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A panic at a chosen moment: at the nth execution of an instruction of the driver under test, or
 * in the hard interrupt of a timer. The timer also ends the wait for an instruction that nobody
 * executes. It is armed by loading the module.
 */
#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/version.h>

static char *symbol = "";
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "function to panic in; none: in the timer's interrupt");

static unsigned int offset;
module_param(offset, uint, 0444);
MODULE_PARM_DESC(offset, "of the instruction in it; the next one that can be probed is taken");

static int hits = 1;
module_param(hits, int, 0444);
MODULE_PARM_DESC(hits, "executions until the panic");

static unsigned int delay_us = 1000000;
module_param(delay_us, uint, 0444);
MODULE_PARM_DESC(delay_us, "until the timer's interrupt");

static struct kprobe probe;
static struct hrtimer timer;
static atomic_t left;
static atomic_t exploded;

/* Only once: the driver's notifier may run into the probe during the panic itself. */
static void explode(const char *where)
{
	if (atomic_xchg(&exploded, 1) == 0)
		panic("bomb: %s", where);
}

static int on_instruction(struct kprobe *p, struct pt_regs *regs)
{
	if (atomic_dec_and_test(&left))
		explode("instruction");
	return 0;
}

static enum hrtimer_restart on_timer(struct hrtimer *t)
{
	explode("interrupt");
	return HRTIMER_NORESTART;
}

/* Only the beginning of an instruction can be probed, and not every instruction. */
static int arm_probe(void)
{
	unsigned int end = offset + 16;
	int ret = -EINVAL;

	for (; offset < end; offset++) {
		probe = (struct kprobe) {
			.symbol_name = symbol,
			.offset = offset,
			.pre_handler = on_instruction,
		};
		ret = register_kprobe(&probe);
		if (!ret)
			return 0;
	}
	return ret;
}

static int __init bomb_init(void)
{
	atomic_set(&left, hits);
	if (*symbol) {
		int ret = arm_probe();

		if (ret)
			return ret;
		pr_info("bomb: armed at %s+%#x\n", symbol, offset);
	}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(&timer, on_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
#else
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer.function = on_timer;
#endif
	hrtimer_start(&timer, us_to_ktime(delay_us), HRTIMER_MODE_REL_HARD);
	return 0;
}
module_init(bomb_init);

MODULE_DESCRIPTION("panics at a chosen moment");
MODULE_LICENSE("GPL");
