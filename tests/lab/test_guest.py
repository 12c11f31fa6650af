# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's files: the archive's format, modules and images told apart."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from gen.lab import cpio, kernel
from gen.lab.problem import LabError
from tests.lab.devices import device

if TYPE_CHECKING:
    from pathlib import Path


def test_another_program_reads_the_archive(tmp_path: Path) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not installed; install the package busybox-static")
    data = cpio.archive(
        [
            cpio.directory("etc"),
            cpio.regular("etc/odd", b"abc"),
            cpio.regular("etc/none", b""),
            cpio.regular("run", b"#!", executable=True),
            cpio.link("same", "etc/odd"),
        ]
    )
    subprocess.run(
        [busybox, "cpio", "-i"], input=gzip.decompress(data), cwd=tmp_path, check=True,
        capture_output=True,
    )  # fmt: skip
    assert (tmp_path / "same").read_bytes() == b"abc"
    assert (tmp_path / "etc/none").read_bytes() == b""
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "etc/odd").stat().st_mode & 0o777 == 0o644


def test_members_are_aligned_and_equal_input_gives_equal_bytes() -> None:
    entries = [cpio.character("dev/console", 5, 1), cpio.regular("a", b"12345")]
    data = cpio.archive(entries)
    raw = gzip.decompress(data)
    assert data == cpio.archive(entries)
    assert len(raw) % 4 == 0
    assert raw.count(b"070701") == 3
    assert all(raw.index(magic) % 4 == 0 for magic in (b"070701",))


def bzimage(release: bytes) -> bytes:
    head = bytearray(0x1000)
    head[0x202:0x206] = b"HdrS"
    head[0x20E:0x210] = (0x300).to_bytes(2, "little")
    head[0x500 : 0x500 + len(release)] = release
    return bytes(head)


def test_an_image_tells_its_release(tmp_path: Path) -> None:
    image = tmp_path / "vmlinuz"
    image.write_bytes(bzimage(b"6.1.0-9-amd64 (builder@host) #1 SMP\0"))
    assert kernel.release_of_image(image) == "6.1.0-9-amd64"
    image.write_bytes(b"MZ" + bytes(4096))
    assert kernel.release_of_image(image) is None


def test_an_image_of_another_release_is_refused(tmp_path: Path) -> None:
    image = tmp_path / "vmlinuz"
    image.write_bytes(bzimage(b"6.1.0-9-amd64 x\0"))
    with pytest.raises(LabError, match=r"6\.1\.0-9-amd64, but the modules are for 5\.0"):
        kernel.find_image("5.0", image, (), lambda _: None)
    assert kernel.find_image("6.1.0-9-amd64", image, (), lambda _: None) == image


def test_missing_modules_are_named(tmp_path: Path) -> None:
    (tmp_path / "pvpanic.ko").write_bytes(b"")
    with pytest.raises(LabError, match=r"no pvpanic-mmio\.ko, pvpanic-pci\.ko; build the modules"):
        kernel.read_modules(tmp_path, device())


def test_modules_for_different_kernels_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in kernel.module_names(device()):
        (tmp_path / f"{name}.ko").write_bytes(b"")
    monkeypatch.setattr(
        kernel, "run", lambda words: "6.1 SMP" if "pci" in str(words[-1]) else "6.2 SMP"
    )
    with pytest.raises(LabError, match="for different kernels"):
        kernel.read_modules(tmp_path, device())
    monkeypatch.setattr(kernel, "run", lambda _: "6.1 SMP preempt\n")
    assert kernel.read_modules(tmp_path, device()).release == "6.1"
    monkeypatch.setattr(kernel, "run", lambda _: "")
    with pytest.raises(LabError, match="no version magic"):
        kernel.read_modules(tmp_path, device())
