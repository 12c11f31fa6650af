/* SPDX-License-Identifier: GPL-2.0+ WITH Linux-syscall-note */
/*
 * pvpanic device: the events it reports
 *
 * Made from spec/pvpanic.yaml (sha256 5c2b3a630a50) for Linux 6.1.
 * Do not edit; change the spec and run
 *   pvgen gen --spec spec/pvpanic.yaml --kernel 6.1
 */
#ifndef __PVPANIC_H__
#define __PVPANIC_H__

#include <linux/const.h>

/* The guest has panicked and leaves it to the host to act. */
#define PVPANIC_PANICKED	_BITUL(0)
/* The guest has panicked and a crash kernel that is loaded in it takes over. */
#define PVPANIC_CRASH_LOADED	_BITUL(1)
/* The guest powers off and no firmware did it first. */
#define PVPANIC_SHUTDOWN	_BITUL(2)

#endif /* __PVPANIC_H__ */
