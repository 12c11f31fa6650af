/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMBELL_H
#define VMBELL_H

struct attribute_group;
struct device;

int vmbell_attach(struct device *dev, void __iomem *regs);

extern const struct attribute_group *vmbell_groups[];

#endif
