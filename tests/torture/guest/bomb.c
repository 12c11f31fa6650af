// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A panic at a chosen moment. Loading the module only prepares it; then a line is written to its parameter arm:
 *
 *   SYMBOL OFFSET HITS ACTION DELAY_US
 *
 * At the HITS-th execution of the first instruction at or after SYMBOL+OFFSET that can be probed, ACTION is done:
 *
 *   panic  there and then
 *   sit    its processor stays there with interrupts off, and a timer's interrupt on another one panics
 *   wait   its processor stays there, and says so: the host sends an NMI
 *
 * Outside the driver under test an execution counts only if the driver called the function. "-" as SYMBOL, and
 * what is not reached within DELAY_US, panics in a timer's interrupt.
 */
#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/version.h>

#include "driver.h"

#define POLL_NS 1000000

static char symbol[KSYM_NAME_LEN];
static char action[8];
static unsigned int offset;
static struct kprobe probe;
static DEFINE_PER_CPU(struct hrtimer, timers);
static ktime_t deadline;
static bool anyone;
static atomic_t left;
static atomic_t exploded;
static int sitting = -1;

/* Only once, and the probe is of no effect from here on: the driver's notifier may run into it during the panic. */
static void explode(const char *where)
{
	if (atomic_xchg(&exploded, 1))
		return;
	atomic_set(&left, 0);
	panic("bomb: %s", where);
}

static bool driver_calls(struct pt_regs *regs)
{
	return anyone || in_driver(*(unsigned long *)regs->sp);
}

static int on_instruction(struct kprobe *p, struct pt_regs *regs)
{
	if (atomic_read(&left) <= 0 || !driver_calls(regs) || !atomic_dec_and_test(&left))
		return 0;
	if (!strcmp(action, "panic")) {
		explode("instruction");
		return 0;
	}
	pr_emerg("bomb: processor %d sits\n", smp_processor_id());
	WRITE_ONCE(sitting, smp_processor_id());
	for (;;)
		cpu_relax();
	return 0;
}

/* That there is one keeps the probe from becoming a jump, in which interrupts would stay on. */
static void after_instruction(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	int who = READ_ONCE(sitting);

	if (who < 0 && ktime_after(ktime_get(), deadline))
		explode("interrupt");
	if (who >= 0 && who != smp_processor_id() && !strcmp(action, "sit"))
		explode("interrupt elsewhere");
	hrtimer_forward_now(timer, ns_to_ktime(POLL_NS));
	return HRTIMER_RESTART;
}

static void start_timer(void *unused)
{
	struct hrtimer *timer = this_cpu_ptr(&timers);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, on_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer->function = on_timer;
#endif
	hrtimer_start(timer, ns_to_ktime(POLL_NS), HRTIMER_MODE_REL_PINNED_HARD);
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
			.post_handler = after_instruction,
		};
		ret = register_kprobe(&probe);
		if (!ret)
			break;
	}
	return ret;
}

static int arm(const char *text, const struct kernel_param *param)
{
	unsigned int delay, hits;
	int ret = 0;

	if (sscanf(text, "%127s %u %u %7s %u", symbol, &offset, &hits, action, &delay) != 5)
		return -EINVAL;
	if (strcmp(symbol, "-")) {
		anyone = true; /* until it is known where the probe is */
		atomic_set(&left, 0);
		ret = arm_probe();
		if (ret)
			return ret;
		anyone = in_driver((unsigned long)probe.addr);
		pr_info("bomb: armed at %s+%#x\n", symbol, offset);
	}
	deadline = ktime_add_us(ktime_get(), delay);
	/* The host's NMI is to find a processor sitting, and no other panic. */
	on_each_cpu(start_timer, NULL, 0);
	atomic_set(&left, hits);
	return 0;
}

static const struct kernel_param_ops arm_ops = { .set = arm };
module_param_cb(arm, &arm_ops, NULL, 0200);
MODULE_PARM_DESC(arm, "SYMBOL OFFSET HITS ACTION DELAY_US");

static int __init bomb_init(void)
{
	return 0;
}
module_init(bomb_init);

MODULE_DESCRIPTION("panics at a chosen moment");
MODULE_LICENSE("GPL");
