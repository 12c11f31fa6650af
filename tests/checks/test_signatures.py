# SPDX-License-Identifier: GPL-2.0-or-later
"""Attribute functions that take a const attribute, which kernels have a member for since 7.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.rule import Verdict
from checks.run import check_paths
from gen.generate import read_device
from tests.checks.trees import OUT, change, kernel

if TYPE_CHECKING:
    from pathlib import Path

    from checks.run import Report

SPEC = OUT.parent / "spec" / "pvpanic.yaml"
# Which function, and how the attribute names it: by a macro, by a table's macro, by hand.
SHOW = "static ssize_t capability_show(struct device *dev,\n"
MACRO = "static DEVICE_ATTR_RO(capability);"
TABLE = "static struct device_attribute dev_attr_capability = __ATTR_RO(capability);"
HAND = """static struct device_attribute dev_attr_capability = {
\t.attr = { .name = "capability", .mode = 0444 },
\t.MEMBER = capability_show,
};"""


def _report(tmp_path: Path, series: str, attribute: str, *, const: bool) -> Report:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("pvpanic.c", "pvpanic.h"):
        (out / name).write_text((OUT / name).read_text("utf-8"), "utf-8")
    for path in OUT.glob("pvpanic-*.c"):
        (out / path.name).write_text(path.read_text("utf-8"), "utf-8")
    (out / "uapi/misc").mkdir(parents=True)
    (out / "uapi/misc/pvpanic.h").write_text((OUT / "uapi/misc/pvpanic.h").read_text("utf-8"))
    text = (out / "pvpanic.c").read_text("utf-8")
    at = text.index("struct device_attribute *attr", text.index(SHOW))
    if const:
        (out / "pvpanic.c").write_text(f"{text[:at]}const {text[at:]}", "utf-8")
    change(out, "pvpanic.c", MACRO, attribute)
    return check_paths([out], read_device(SPEC), kernel(series))


@pytest.mark.parametrize(
    ("attribute", "const", "wrong"),
    [
        (MACRO, False, ()),
        (MACRO, True, ("6.1", "6.12")),
        (TABLE, True, ("6.1", "6.12", "7.2", "7.3")),
        (HAND.replace("MEMBER", "show"), False, ()),
        (HAND.replace("MEMBER", "show"), True, ("6.1", "6.12", "7.2", "7.3")),
        (HAND.replace("MEMBER", "show_const"), True, ("6.1", "6.12")),
        (HAND.replace("MEMBER", "show_const"), False, ("6.1", "6.12", "7.2", "7.3")),
    ],
)
@pytest.mark.parametrize("series", ["6.1", "6.12", "7.2", "7.3"])
def test_a_const_attribute_fits_where_there_is_a_member_for_it(
    tmp_path: Path, series: str, attribute: str, const: bool, wrong: tuple[str, ...]
) -> None:
    report = _report(tmp_path, series, attribute, const=const)
    told = [item for item in report.findings if item.rule == "PORT202"]
    assert bool(told) is (series in wrong)
    assert len(told) < 2
    assert [item for item in report.findings if item.rule.startswith(("SPEC01", "RUN"))] == []
    if not wrong or series not in wrong:
        verdicts = {item.rule.id: item.verdict for item in report.judgements}
        assert verdicts["SPEC018"] is verdicts["RUN303"] is Verdict.PASS
    if const and series == "6.1" and attribute is MACRO:
        assert told[0].message.endswith("capability_show() is none; it is that since 7.2")
