# SPDX-License-Identifier: GPL-2.0-or-later
"""Loading the facts about kernels."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from gen.kernel import KernelFactsError
from gen.kernel_load import load_kernels
from gen.release import Release
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from pathlib import Path

KERNELS = load_kernels(kernel_directory())


def test_series_are_in_the_order_of_numbers() -> None:
    assert KERNELS.series == tuple(sorted(KERNELS.series, key=Release.parse))
    assert KERNELS.default.series == "6.1"


@pytest.mark.parametrize("series", KERNELS.series)
def test_every_fact_has_a_header_that_the_series_has(series: str) -> None:
    kernel = KERNELS.get(series)
    for api in kernel:
        assert kernel.has_header(kernel.header(api.name)), api.name


def test_a_header_follows_the_series() -> None:
    headers = {k.series: k.header("struct pci_device_id") for k in KERNELS.all}
    assert headers["6.12"] == "linux/mod_devicetable.h"
    assert headers["7.2"] == "linux/device-id/pci.h"


def test_ranges_include_both_ends() -> None:
    kernel = KERNELS.get("6.1")
    assert not kernel.has("pcim_iomap_region")
    assert KERNELS.get("6.12").has("pcim_iomap_region")
    assert kernel.members("struct platform_driver")["remove"].startswith("int ")
    assert KERNELS.get("7.3").members("struct platform_driver")["remove"].startswith("void ")


def test_parameters_are_named() -> None:
    api = KERNELS.default.api("register_sys_off_handler")
    assert api.parameters == ("mode", "priority", "callback", "cb_data")
    assert KERNELS.default.api("dev_warn").parameters == ("dev", "fmt", "...")


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: KERNELS.get("6.11"), "no facts about Linux 6.11; known are 5.10, "),
        (lambda: KERNELS.default.api("ioread9"), "did you mean 'ioread8'"),
        (lambda: KERNELS.default.header("pcim_iomap_region"), "Linux 6.1 has no"),
        (
            lambda: KERNELS.get("5.10").header("struct pci_driver.dev_groups"),
            "Linux 5.10 has no member 'dev_groups' in 'struct pci_driver'",
        ),
    ],
)
def test_what_is_not_known_is_said(ask: object, words: str) -> None:
    with pytest.raises(KernelFactsError, match=words):
        ask()  # type: ignore[operator]


def _copy(tmp_path: Path) -> Path:
    shutil.copytree(kernel_directory(), tmp_path / "kernels")
    shutil.copy(kernel_directory().parent / "kernels.schema.json", tmp_path)
    return tmp_path / "kernels"


@pytest.mark.parametrize(
    ("file", "good", "bad", "words"),
    [
        ("6.1.yaml", "default: true\n", "", "one series has to be the default"),
        ("6.12.yaml", "debian:", "default: true\ndebian:", "one series has to be the default"),
        ("6.1.yaml", 'series: "6.1"', "series: 6.1", "series"),
        ("6.1.yaml", "kernel: 1", "kernel: [", "6.1.yaml"),
        ("api.yaml", "  ioread8: {kind: function", "  ioread8: {kind: fonction", "ioread8.kind"),
        ("api.yaml", 'since: "7.2"', 'since: "seven"', "seven"),
    ],
)
def test_a_broken_table_is_refused(
    tmp_path: Path, file: str, good: str, bad: str, words: str
) -> None:
    directory = _copy(tmp_path)
    path = directory / file
    text = path.read_text(encoding="utf-8")
    assert good in text
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(KernelFactsError, match=words):
        load_kernels(directory)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    directory = _copy(tmp_path)
    (directory / "api.yaml").unlink()
    with pytest.raises(KernelFactsError, match=r"api\.yaml"):
        load_kernels(directory)
