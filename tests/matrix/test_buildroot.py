# SPDX-License-Identifier: GPL-2.0-or-later
"""Root file systems: which headers, what a failure or a kill leaves behind, what a build gives."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen.kernel_load import load_kernels
from gen.lab import apart, buildroot, process
from gen.lab.archive import Archive, Origin
from gen.lab.board import PC, VIRT
from gen.lab.buildroot import BuildRoot, Built, Headers
from gen.lab.problem import LabError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from gen.kernel import Kernel

HEADERS = Headers("linux-headers-9.9.9+deb99-amd64", ("stone-backports", "stone-security"))


def kernel(series: str) -> Kernel:
    return load_kernels(ROOT / "spec/kernels").get(series)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose mmdebstrap and unshare are scripts; returns their directory."""
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setattr(
        buildroot, "of_suites", lambda suites: tuple(Origin("http://x/", s, "main") for s in suites)
    )
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    script(tools, "unshare", 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"')
    script(tools, "apt-config", "echo 'Acquire::http::Proxy \"http://p/\";'; echo 'Dir \"/\";'")
    return tools


def script(tools: Path, name: str, text: str) -> None:
    (tools / name).write_text(f"#!/bin/sh\n{text}\n")
    (tools / name).chmod(0o755)


# What mmdebstrap is called with: options, suite, target, sources.
TARGET = 'for word; do target=$sources sources=$word; done; mkdir -p "$target/usr"; '


def root(tmp_path: Path) -> BuildRoot:
    return BuildRoot(HEADERS, lambda _: None, tmp_path / "cache")


def test_the_newest_headers_of_the_first_release_that_has_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its updates count as much as the release itself."""
    asked = []

    def names(self: Archive, _pattern: str) -> list[str]:
        asked.append(self.suites)
        return [
            "linux-headers-6.12.9+deb13-amd64",
            "linux-headers-6.12.10+deb13-amd64",
            "linux-headers-6.12.11+deb13-cloud-amd64",
        ]

    monkeypatch.setattr(Archive, "names", names)
    found = buildroot.find_headers(kernel("6.12"), PC, lambda _: None)
    assert found.package == "linux-headers-6.12.10+deb13-amd64"
    assert asked == [("bookworm-backports", "bookworm-security")] == [found.suites]


def test_a_release_without_headers_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "linux-headers-6.12.10+deb13-amd64"
    monkeypatch.setattr(Archive, "names", lambda self, _: [name] if "trixie" in self.suites else [])
    found = buildroot.find_headers(kernel("6.12"), PC, lambda _: None)
    assert found == Headers(name, ("trixie", "trixie-security"))


def test_a_series_without_packages_or_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabError, match=r"never shipped Linux 5\.15"):
        buildroot.find_headers(kernel("5.15"), PC, lambda _: None)
    monkeypatch.setattr(Archive, "names", lambda *_: [])
    with pytest.raises(LabError, match=r"no package linux-headers-7\.3\..* in trixie-backports"):
        buildroot.find_headers(kernel("7.3"), PC, lambda _: None)


def test_another_architecture_gets_the_compiler_that_its_headers_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    headers = "linux-headers-6.12.9+deb12-arm64"
    asked = []

    def names(self: Archive, pattern: str) -> list[str]:
        asked.append((self.architecture, pattern))
        return [headers]

    monkeypatch.setattr(Archive, "names", names)
    monkeypatch.setattr(Archive, "field", lambda *_: "linux-base, gcc-12 | gcc")
    found = buildroot.find_headers(kernel("6.12"), VIRT, lambda _: None)
    assert asked == [("arm64", "^linux-headers-6[.]12[.].*-arm64$")]
    suites = ("bookworm-backports", "bookworm-security")
    assert found == Headers(headers, suites, "arm64", "gcc-12-aarch64-linux-gnu")
    assert found.release == "6.12.9+deb12-arm64"
    monkeypatch.setattr(Archive, "field", lambda *_: "linux-base")
    with pytest.raises(LabError, match="does not name its compiler"):
        buildroot.find_headers(kernel("6.12"), VIRT, lambda _: None)


def test_headers_of_another_architecture_are_laid_into_the_root(
    tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(machine, "mmdebstrap", TARGET + f'echo "$@" >>{tmp_path}/calls')
    package = tmp_path / "unpacked"
    (package / "usr/src/linux-headers-9.9.9+deb99-arm64").mkdir(parents=True)
    monkeypatch.setattr(Archive, "unpack", lambda *_: package)
    headers = Headers("linux-headers-9.9.9+deb99-arm64", ("stone",), "arm64", "gcc-99-aarch64-x")
    made = BuildRoot(headers, lambda _: None, tmp_path / "cache")
    made.make()
    call = (tmp_path / "calls").read_text()
    packages = "make,gcc-99-aarch64-x,linux-headers-9.9.9+deb99-common,linux-kbuild-9.9.9+deb99"
    assert f"--include={packages} " in call
    assert (made.place / "usr/src" / headers.package).is_dir()


def test_a_root_is_made_once(tmp_path: Path, machine: Path) -> None:
    script(machine, "mmdebstrap", TARGET + f'echo "$@" >>{tmp_path}/calls; cat "$sources"')
    root(tmp_path).make()
    root(tmp_path).make()
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert HEADERS.package in call
    assert (root(tmp_path).place / "usr").is_dir()
    roots = tmp_path / "cache/roots"
    lines = (roots / "stone.list").read_text().splitlines()
    assert [line.split()[-2] for line in lines] == ["stone", "stone-backports", "stone-security"]
    assert (roots / "apt.conf").read_text() == 'Acquire::http::Proxy "http://p/";\n'


def test_nothing_half_made_stays(tmp_path: Path, machine: Path) -> None:
    script(machine, "mmdebstrap", TARGET + "echo 'E: no network' >&2; exit 25")
    with pytest.raises(LabError, match="E: no network"):
        root(tmp_path).make()
    assert not [path for path in (tmp_path / "cache/roots").iterdir() if path.is_dir()]


def test_what_failed_is_named_and_not_how_it_was_run(tmp_path: Path, machine: Path) -> None:
    script(machine, "mmdebstrap", "echo 'E: broken' >&2; exit 25")
    with pytest.raises(LabError, match=r"^mmdebstrap failed \(25\): E: broken$"):
        root(tmp_path).make()


def test_too_little_room_is_told_before_anything_is_made(
    tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(machine, "mmdebstrap", f"touch {tmp_path}/called")
    usage = shutil.disk_usage(tmp_path)._replace(free=(buildroot.ROOM - 1) << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(LabError, match=r"roots has 899 MiB left; .* needs 900 MiB"):
        root(tmp_path).make()
    assert not (tmp_path / "called").exists()


def test_no_mmdebstrap(tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = process.tool
    names = {"mmdebstrap": "mmdebstrap-is-not-here"}
    monkeypatch.setattr(process, "tool", lambda name: tool(names.get(str(name), str(name))))
    assert machine.is_dir()
    with pytest.raises(LabError, match="is not installed"):
        root(tmp_path).make()
    assert process.PACKAGES["mmdebstrap"] == "mmdebstrap"


def test_after_a_kill_a_root_is_made_anew(tmp_path: Path, machine: Path) -> None:
    """The maker dies with the process that is killed, and the next run clears up after it."""
    script(machine, "mmdebstrap", TARGET + f"echo $$ >{tmp_path}/pid; exec sleep 60")
    code = (
        "from pathlib import Path; from gen.lab import buildroot as b; b.of_suites = lambda s: ();"
        f"b.BuildRoot(b.Headers('{HEADERS.package}', {HEADERS.suites}), print,"
        f" Path('{tmp_path}/cache')).make()"
    )
    maker = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    pid = int(_awaited(tmp_path / "pid"))
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists(), "what it started lives on"
    script(machine, "mmdebstrap", TARGET)
    root(tmp_path).make()
    directories = [path for path in (tmp_path / "cache/roots").iterdir() if path.is_dir()]
    assert directories == [root(tmp_path).place]


def _awaited(file: Path) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if file.is_file() and (text := file.read_text()).endswith("\n"):
            return text
        time.sleep(0.05)
    raise AssertionError(f"{file} did not appear")


def test_a_root_that_cannot_be_entered(tmp_path: Path, machine: Path) -> None:
    del machine
    place = root(tmp_path)
    with pytest.raises(LabError, match="cannot be entered"):
        place.build({"x.c": "int x;\n"}, tmp_path / "modules")


def test_warnings_are_the_lines_that_have_one() -> None:
    log = "x.c:1:1: warning: w\n  CC x.o\nWARNING: modpost: missing\nmake: done\n"
    assert len(Built(log, succeeded=True).warnings) == 2


def test_modules_come_out_as_they_went_in(tmp_path: Path) -> None:
    packed = apart.packed({"a.ko": "one", "sub/../../b.ko": "two"})
    apart.unpack(packed, tmp_path / "in/modules")
    found = {file.name: file.read_text() for file in (tmp_path / "in/modules").iterdir()}
    assert found == {"a.ko": "one", "b.ko": "two"}
