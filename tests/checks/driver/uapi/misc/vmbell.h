/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
#ifndef _UAPI_VMBELL_H
#define _UAPI_VMBELL_H

#define VMBELL_CRASHED	0x0001
#define VMBELL_DUMPING	(1 << 5)
#define VMBELL_LEAVING	(VMBELL_DUMPING << 4)

#endif
