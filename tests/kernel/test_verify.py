# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of kernel facts against installed headers, and the comparison against wrong facts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gen.kernel_load import load_kernels
from gen.resources import kernel_directory
from tests.kernel.verify import VerificationError, installed, main, series_of, verify

if TYPE_CHECKING:
    from pathlib import Path

    from gen.kernel import Kernel

KERNELS = load_kernels(kernel_directory())
KDIRS = [path for path in installed() if series_of(path) in KERNELS.series]
needs_headers = pytest.mark.skipif(
    not KDIRS, reason="no headers of a known series are installed: apt install linux-headers-amd64"
)


@pytest.mark.kbuild
@needs_headers
def test_every_fact_holds_on_the_installed_headers() -> None:
    for kdir in KDIRS:
        assert verify(kdir, KERNELS.get(series_of(kdir))) == []


def _with(kernel: Kernel, name: str, **changes: object) -> Kernel:
    """A kernel about which one fact is wrong."""
    changed = replace(kernel.table[name], **changes)  # type: ignore[arg-type]
    return replace(kernel, table={name: changed})


@pytest.mark.kbuild
@needs_headers
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("iowrite8", {"prototype": "int iowrite8(u8 value, void __iomem *addr)"}),
        ("INT_MAX", {"value": 7}),
        ("kstrtouint", {"must_check": False}),
        ("list_add", {"must_check": True, "prototype": "int list_add(void)"}),
        ("pcim_iomap", {"headers": {"linux/io.h": KERNELS.default.table["BIT"].range}}),
        ("DEVICE_ATTR_RO", {"headers": {"linux/list.h": KERNELS.default.table["BIT"].range}}),
        ("struct pci_device_id", {"positions": ("device", "vendor")}),
        ("mutex_lock", {"prototype": "void mutex_lock(struct mutex *lock, int x)"}),
        ("gfp_t", {"prototype": "typedef long gfp_t"}),
        ("panic_notifier_list", {"prototype": "int panic_notifier_list"}),
    ],
)
def test_a_wrong_fact_is_found(name: str, changes: dict[str, object]) -> None:
    kdir = KDIRS[0]
    wrong = _with(KERNELS.get(series_of(kdir)), name, **changes)
    assert {item.fact for item in verify(kdir, wrong)} == {name}


@pytest.mark.kbuild
@needs_headers
def test_a_wrong_member_is_found() -> None:
    kdir = KDIRS[0]
    kernel = KERNELS.get(series_of(kdir))
    api = kernel.table["struct resource"]
    members = (replace(api.members[0], text="int start"), *api.members[1:])
    found = verify(kdir, _with(kernel, api.name, members=members))
    assert [item.fact for item in found] == ["struct resource"]


@pytest.mark.kbuild
@needs_headers
def test_a_header_that_is_not_there_is_found() -> None:
    kdir = KDIRS[0]
    kernel = KERNELS.get(series_of(kdir))
    headers = {"linux/no_such.h": kernel.table["BIT"].range}
    wrong = replace(kernel, table={}, header_table=headers)
    assert [item.fact for item in verify(kdir, wrong)] == ["linux/no_such.h"]


@pytest.mark.kbuild
@needs_headers
def test_a_header_that_brings_another_unmentioned_is_found() -> None:
    kdir = KDIRS[0]
    wrong = replace(KERNELS.get(series_of(kdir)), table={}, bringers={"linux/pci.h": frozenset()})
    assert {item.fact for item in verify(kdir, wrong)} == {"linux/pci.h"}


def test_a_directory_without_headers_answers_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(VerificationError, match="no kernel headers"):
        series_of(tmp_path)
    assert main([str(tmp_path)]) == 3
    assert "no kernel headers" in capsys.readouterr().err
