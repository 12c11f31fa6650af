# SPDX-License-Identifier: GPL-2.0-or-later
"""What each change does to the rendered files: rendered by itself, and nothing left untold."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from gen.diff.compare import compare
from gen.diff.detect import changes
from gen.diff.formula import compare_dependencies
from gen.diff.rendered import rendered_hunks, units, with_shares
from gen.diff.transplant import EntangledError, transplant
from gen.kernel_load import load_kernels
from gen.resources import kernel_directory
from tests.conftest import ROOT
from tests.diff.test_scenarios import BASE, SCENARIOS, base, edited, side

if TYPE_CHECKING:
    from gen.diff.compare import Comparison
    from gen.diff.records import Side
    from gen.kernel import Kernel


@cache
def default() -> Kernel:
    return load_kernels(kernel_directory()).default


def after(name: str) -> Side:
    return side(edited(BASE, SCENARIOS[name]["edits"]), "after.yaml")


def shares(name: str) -> Comparison:
    old, new = base(), after(name)
    return with_shares(compare(old, new), old.device, new.device, default())


def changed(hunks: tuple[str, ...]) -> set[str]:
    lines = {line for hunk in hunks for line in hunk.split("\n")[3:]}
    return {line for line in lines if line[:1] in {"+", "-"}}


@pytest.mark.parametrize("name", SCENARIOS)
def test_all_changes_make_the_other_side(name: str) -> None:
    for old, new in ((base(), after(name)), (after(name), base())):
        every = changes(old.device, new.device)
        assert changes(transplant(old.device, new.device, every, every), new.device) == []


def test_one_change_leaves_the_others() -> None:
    old, new = base().device, after("combined").device
    every = changes(old, new)
    for unit in units(every):
        made = transplant(old, new, unit, every)
        left = {(one.subject, one.new) for one in changes(made, new)}
        assert left == {(one.subject, one.new) for one in every if one not in unit}


def test_each_finding_has_the_lines_of_its_own_change() -> None:
    result = shares("combined")
    lines = {one.rule.id: changed(one.share.hunks) for one in result.findings if one.share}
    assert lines["BUILD_KCONFIG_DEPENDS_TIGHTENED"] == {
        "-\tdepends on PCI && DEV", "+\tdepends on PCI && DEV && X86",
        "-CONFIG_DEV_PCI := $(if $(CONFIG_PCI),m)",
        "+CONFIG_DEV_PCI := $(if $(and $(CONFIG_PCI),$(CONFIG_X86)),m)",
    }  # fmt: skip
    assert lines["AUTOLOAD_ACPI_ID_ADDED"] == {'+\t{ .id = "DEVX0002" },'}
    assert lines["HOST_BIT_VALUE_CHANGED"] == lines["USER_UAPI_VALUE_CHANGED"]
    assert any("_BITUL(6)" in line for line in lines["HOST_BIT_VALUE_CHANGED"])
    assert all(one.share and one.share.together == () for one in result.findings)
    assert result.leftover == ()


def test_what_makes_no_sense_alone_is_rendered_together() -> None:
    result = shares("sysoff-gone")
    (hook,) = (one for one in result.findings if one.rule.id == "BEHAV_SYSOFF_REMOVED")
    assert hook.share
    assert hook.share.together == ("event[bye]",)
    whole = rendered_hunks(base().device, after("sysoff-gone").device, default())
    assert list(hook.share.hunks) == whole


def test_what_no_change_accounts_for_is_told() -> None:
    result = shares("events-reordered")
    assert result.findings == ()
    assert result.leftover
    result = shares("module-renamed-and-symbol")
    assert changed(result.leftover) >= {"+CONFIG_DEV_MORE := $(if $(CONFIG_HAS_IOMEM),m)"}


def test_what_cannot_be_found_is_entangled() -> None:
    old, new = base().device, after("module-deleted").device
    every = changes(new, old)
    (claim, *_) = (one for one in every if one.subject == "acpi")
    with pytest.raises(EntangledError):
        transplant(new, old, [claim], every)


def test_another_device_altogether_has_shares_too() -> None:
    texts = [(ROOT / "tests/spec" / name).read_text(encoding="utf-8")
             for name in ("acme_watch.yaml", "mite.yaml")]  # fmt: skip
    old, new = (side(text, f"{index}.yaml") for index, text in enumerate(texts))
    result = with_shares(compare(old, new), old.device, new.device, default())
    assert all(one.share for one in result.findings)
    told = {line for one in result.findings if one.share for line in changed(one.share.hunks)}
    whole = changed(tuple(rendered_hunks(old.device, new.device, default())))
    assert whole <= told | changed(result.leftover)


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ("A", "A && B != n", "tightened"), ("A && !B", "A", "loosened"), (None, "n", "tightened"),
        ("A && (B || C)", "(C || B) && A", "same"), ("A", "A && (B", "other"),
        ("A", "A & B", "other"),
        ("A", "|| A", "other"), ("A", "A )", "other"), ("A &&", "A &&", "same"),
    ],
)  # fmt: skip
def test_dependencies_of_a_kernel_tree_may_be_anything(
    old: str | None, new: str | None, direction: str
) -> None:
    assert compare_dependencies(old, new) == direction
