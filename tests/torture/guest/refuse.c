// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One call that the driver under test makes fails: the function returns at its entry. Writing "SYMBOL NTH VALUE"
 * to the parameter call arms it for the NTH call from the driver's modules, writing "-" ends it; reading it
 * tells how many such calls there were.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "driver.h"

static DEFINE_MUTEX(lock);
static char symbol[KSYM_NAME_LEN];
static struct kprobe probe;
static bool armed;
static atomic_t calls;
static int nth;
static long value;

/* Where a call that fails goes on: back to its caller. */
asm(".pushsection .text\n"
    ".type refuse_return, @function\n"
    "refuse_return:\n"
    "	" ASM_RET "\n"
    ".size refuse_return, .-refuse_return\n"
    ".popsection\n");
void refuse_return(void);
STACK_FRAME_NON_STANDARD(refuse_return);

/* Who ends with a call is not there to be returned to, but what it passes on is its own. */
static bool driver_calls(struct pt_regs *regs)
{
	return in_driver(*(unsigned long *)regs->sp) || in_driver(regs->di) || in_driver(regs->si);
}

static int on_call(struct kprobe *p, struct pt_regs *regs)
{
	if (!driver_calls(regs) || atomic_inc_return(&calls) != nth)
		return 0;
	regs->ax = value;
	regs->ip = (unsigned long)refuse_return;
	return 1;
}

/* That there is one keeps the probe from becoming a jump, which could not change where it returns to. */
static void after_call(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static int set_call(const char *text, const struct kernel_param *param)
{
	int ret = 0;

	mutex_lock(&lock);
	if (armed)
		unregister_kprobe(&probe);
	armed = false;
	if (*text != '-') {
		atomic_set(&calls, 0);
		probe = (struct kprobe) {
			.symbol_name = symbol,
			.pre_handler = on_call,
			.post_handler = after_call,
		};
		if (sscanf(text, "%127s %d %ld", symbol, &nth, &value) != 3)
			ret = -EINVAL;
		else
			ret = register_kprobe(&probe);
		armed = !ret;
	}
	mutex_unlock(&lock);
	return ret;
}

static int get_calls(char *text, const struct kernel_param *param)
{
	return sprintf(text, "%d\n", atomic_read(&calls));
}

static const struct kernel_param_ops call_ops = { .set = set_call, .get = get_calls };
module_param_cb(call, &call_ops, NULL, 0600);
MODULE_PARM_DESC(call, "SYMBOL NTH VALUE");

static int __init refuse_init(void)
{
	return 0;
}
module_init(refuse_init);

static void __exit refuse_exit(void)
{
	if (armed)
		unregister_kprobe(&probe);
}
module_exit(refuse_exit);

MODULE_DESCRIPTION("lets one call of a driver fail");
MODULE_LICENSE("GPL");
