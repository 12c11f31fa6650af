/* SPDX-License-Identifier: GPL-2.0+ */
/*
 * pvpanic device driver: what its modules share
 *
 * Made from spec/pvpanic.yaml (sha256 604e210c2026) for Linux 6.1.
 * Do not edit; change the spec and run
 *   pvgen gen --spec spec/pvpanic.yaml --kernel 6.1
 */
#ifndef PVPANIC_H_
#define PVPANIC_H_

#include <linux/compiler_types.h>

struct attribute_group;
struct device;

int devm_pvpanic_register(struct device *dev, void __iomem *base);

extern const struct attribute_group *pvpanic_groups[];

#endif /* PVPANIC_H_ */
