# SPDX-License-Identifier: GPL-2.0-or-later
"""What is on the stack is given to others only for as long as it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flow.snippets import said

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """#include <linux/reboot.h>
struct way { int mode; };
struct way *elsewhere(void);
int wait_for(void);
static int told(struct sys_off_data *data) { return 0; }
"""
OFF = """static int f(void)
{
	struct way way = { 1 };
	struct sys_off_handler *handler;

	handler = register_sys_off_handler(SYS_OFF_MODE_POWER_OFF, 1, told, &way);
	if (IS_ERR(handler))
		return PTR_ERR(handler);
"""
BACK = "\tunregister_sys_off_handler(handler);\n\treturn 0;\n}\n"
EARLY = "\tif (wait_for()) {{\n\t\t{}(handler);\n\t\treturn -EIO;\n\t}}\n"
POINTER = "static struct way *f(void)\n{\n\tstruct way way = { 1 }, *one = &way;\n"
HELPER = (
    "static void end(struct sys_off_handler *handler)\n{\n"
    "\tunregister_sys_off_handler(handler);\n}\n"
)


def _told(tmp_path: Path, text: str) -> int:
    return len(said(tmp_path, HEAD + text, "KERN156"))


@pytest.mark.parametrize(
    "text",
    [
        f"{OFF}{BACK}",
        f"{OFF}{EARLY.format('unregister_sys_off_handler')}{BACK}",
        f"{HELPER}{OFF}{EARLY.format('end')}{BACK}",
        "static struct way *f(void)\n{\n\tstatic struct way way;\n\n\treturn &way;\n}\n",
        "static struct way f(void)\n{\n\tstruct way way = { 1 };\n\n\treturn way;\n}\n",
        f"{POINTER}\n\twait_for();\n\tone = elsewhere();\n\treturn one;\n}}\n",
        "static int f(void)\n{\n\tstruct way way = { 1 }, *one = &way;\n\n\treturn one->mode;\n}\n",
    ],
)
def test_what_ends_in_time_is_right(tmp_path: Path, text: str) -> None:
    assert _told(tmp_path, text) == 0


@pytest.mark.parametrize(
    "text",
    [
        f"{OFF}\treturn 0;\n}}\n",
        f"{OFF}\tif (wait_for())\n\t\treturn -EIO;\n{BACK}",
        "static struct way *f(void)\n{\n\tstruct way way = { 1 };\n\n\treturn &way;\n}\n",
        f"{POINTER}\n\treturn one;\n}}\n",
        "static int *f(void)\n{\n\tstruct way way = { 1 };\n\n\treturn &way.mode;\n}\n",
        "static int *f(void)\n{\n\tint ways[2] = { 1 };\n\n\treturn ways;\n}\n",
    ],
)
def test_what_outlives_its_function_is_found(tmp_path: Path, text: str) -> None:
    assert _told(tmp_path, text) == 1
