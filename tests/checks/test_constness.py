# SPDX-License-Identifier: GPL-2.0-or-later
"""Arrays of const pointers, which the driver core takes since 7.2 only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.checks.trees import change, copy, run

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "const struct attribute_group *vmbell_groups[]"
CONST = "const struct attribute_group *const vmbell_groups[]"


BOTH, ONE = ["vmbell-pci.c", "vmbell-plat.c"], ["vmbell-plat.c"]


# struct pci_driver has a member of its own since 5.14, and that one never changed.
@pytest.mark.parametrize(
    ("series", "files"),
    [("5.10", ONE), ("6.1", BOTH), ("6.12", BOTH), ("7.2", ["vmbell-pci.c"])],
)
def test_const_groups_fit_where_the_kernel_takes_them(
    tmp_path: Path, series: str, files: list[str]
) -> None:
    tree = copy(tmp_path)
    before = {(one.rule, one.message) for one in run(tree, series=series).findings}
    change(tree, "vmbell.c", f"{PLAIN} = {{", f"{CONST} = {{")
    change(tree, "vmbell.h", PLAIN, CONST)
    new = [
        one for one in run(tree, series=series).findings if (one.rule, one.message) not in before
    ]
    told = [one for one in new if one.rule == "PORT202"]
    assert new == told
    assert [one.span.source.name.rpartition("/")[2] for one in told] == files
    since = "; it may have them since 7.2"
    assert all(one.message.endswith(since) for one in told if "plat" in one.span.source.name)
