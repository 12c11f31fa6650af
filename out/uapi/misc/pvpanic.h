/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * QEMU pvpanic device: the events it reports
 *
 * Made from spec/pvpanic.yaml (sha256 604e210c2026) for Linux 6.1.
 * Do not edit; change the spec and run
 *   pvgen gen --spec spec/pvpanic.yaml --kernel 6.1
 */
#ifndef __PVPANIC_H__
#define __PVPANIC_H__

#include <linux/const.h>

/* The guest has panicked; what happens next is up to the host. */
#define PVPANIC_PANICKED	_BITUL(0)
/* The guest has panicked and its crash kernel takes over. */
#define PVPANIC_CRASH_LOADED	_BITUL(1)
/* The guest is shutting down. */
#define PVPANIC_SHUTDOWN	_BITUL(2)

#endif /* __PVPANIC_H__ */
