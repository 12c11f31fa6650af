# SPDX-License-Identifier: GPL-2.0-or-later
"""What counts the users of a module or of a node of the device tree is given back on each path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flow.snippets import said

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    "#include <linux/of.h>\n#include <linux/platform_device.h>\nint set_up(struct device *dev);\n"
)
MAKE = """static struct device_node *kept;
static int f_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
"""
END = """}
static int f_remove(struct platform_device *pdev)
{
%s	return 0;
}
static struct platform_driver f_driver = { .probe = f_probe, .remove = f_remove };
module_platform_driver(f_driver);
"""
NODE = "\tstruct device_node *node = of_node_get(dev->of_node);\n\n"
MODULE = "\tif (!try_module_get(THIS_MODULE))\n\t\treturn -ENODEV;\n"
FAIL = "\tif (set_up(dev))\n\t\treturn -EIO;\n"


def _said(tmp_path: Path, body: str, remove: str) -> set[str]:
    text = HEAD + MAKE + body + END % remove
    return {rule for rule, _ in said(tmp_path, text, "KERN111", "KERN112")}


@pytest.mark.parametrize(
    ("body", "remove"),
    [
        (f"{NODE}\tof_node_put(node);\n\treturn 0;\n", ""),
        ((f"{NODE}\tif (set_up(dev)) {{\n\t\tof_node_put(node);\n\t\treturn -EIO;\n\t}}\n"
         "\tof_node_put(node);\n\treturn 0;\n"), ""),
        (f"{NODE}\tkept = node;\n\treturn 0;\n", "\tof_node_put(kept);\n"),
        (f"{MODULE}\treturn 0;\n", "\tmodule_put(THIS_MODULE);\n"),
        ((f"{MODULE}\tif (set_up(dev))\n\t\tgoto put;\n\treturn 0;\nput:\n"
         "\tmodule_put(THIS_MODULE);\n\treturn -EIO;\n"), "\tmodule_put(THIS_MODULE);\n"),
        # The module stays for good, on purpose.
        (f"\t__module_get(THIS_MODULE);\n{FAIL}\treturn 0;\n", ""),
    ],
)  # fmt: skip
def test_what_is_given_back_is_right(tmp_path: Path, body: str, remove: str) -> None:
    assert _said(tmp_path, body, remove) == set()


@pytest.mark.parametrize(
    ("body", "remove", "rule"),
    [
        (f"{NODE}{FAIL}\tof_node_put(node);\n\treturn 0;\n", "", "KERN111"),
        (f"{NODE}\treturn 0;\n", "", "KERN112"),
        (f"{MODULE}{FAIL}\treturn 0;\n", "\tmodule_put(THIS_MODULE);\n", "KERN111"),
        (f"{MODULE}\treturn 0;\n", "", "KERN112"),
    ],
)  # fmt: skip
def test_a_leak_is_found(tmp_path: Path, body: str, remove: str, rule: str) -> None:
    assert _said(tmp_path, body, remove) == {rule}
