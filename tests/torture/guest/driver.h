/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose call it is: shared by the modules that wait for the driver under test. */
#ifndef DRIVER_H_
#define DRIVER_H_

#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/string.h>

static char *driver = "";
module_param(driver, charp, 0444);
MODULE_PARM_DESC(driver, "with what the names of the modules under test begin");

static bool in_driver(unsigned long address)
{
	char text[KSYM_SYMBOL_LEN];
	const char *module;

	sprint_symbol(text, address);
	module = strchr(text, '[');
	return module && !strncmp(module + 1, driver, strlen(driver));
}

#endif /* DRIVER_H_ */
