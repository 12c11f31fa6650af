# SPDX-License-Identifier: GPL-2.0-or-later
"""Downloads that end too early, with the real apt and an archive of our own on this machine.

Whatever goes wrong, there is the old state or the new one, and the next run heals.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen.lab import apart, archive
from gen.lab.archive import Archive, Origin
from gen.lab.problem import LabError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 3 << 20
PACKAGE = """\
Package: thing
Version: 1.0
Architecture: amd64
Maintainer: N <n@example.org>
Description: a thing
"""
# Unpacks the package; told on the command line: the archive's address and the cache.
UNPACK = """
import sys
from pathlib import Path
from gen.lab import archive
from gen.lab.problem import LabError
archive.machine_origins = lambda: (archive.Origin(sys.argv[1], "stone", "main"),)
def unpack():
    try:
        print(archive.Archive(cache=Path(sys.argv[2])).unpack("thing"), flush=True)
    except LabError as error:
        print("error:", error, flush=True)
unpack()
"""


class Server(ThreadingHTTPServer):
    """Serves files by path; of the one called `broken`, half, and then what `how` says."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.broken, self.how = "", ""
        self.halfway = threading.Event()
        self.go_on = threading.Event()
        self.starts: list[int] = []

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    """A request for a file, or for what follows of it from some byte on."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        data = self.server.files.get(self.path.lstrip("/"))
        if data is None:
            self.send_error(404)
            return
        asked = self.headers.get("Range", "bytes=0-")
        start = int(asked.removeprefix("bytes=").partition("-")[0])
        if self.path.endswith(".deb"):
            self.server.starts.append(start)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if not self.server.broken or not self.path.endswith(self.server.broken):
            self.wfile.write(data[start:])
            return
        self.wfile.write(data[start : len(data) // 2])
        self.wfile.flush()
        self.server.halfway.set()
        if self.server.how == "stall":
            self.server.go_on.wait(60)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """An archive with one package, whose content cannot be packed smaller."""
    place = tmp_path_factory.mktemp("package")
    (place / "thing/DEBIAN").mkdir(parents=True)
    (place / "thing/DEBIAN/control").write_text(PACKAGE)
    (place / "thing/content").write_bytes(random.Random(1).randbytes(SIZE))  # noqa: S311 (any bytes will do)
    words: list[str | Path] = [
        "dpkg-deb",
        "--root-owner-group",
        "-Znone",
        "-b",
        place / "thing",
        place / "thing.deb",
    ]
    subprocess.run(words, check=True, capture_output=True)
    deb = (place / "thing.deb").read_bytes()
    entry = f"Filename: pool/thing_1.0_amd64.deb\nSize: {len(deb)}\nSHA256: {_sum(deb)}\n"
    packages = (PACKAGE + entry).encode()
    name = "main/binary-amd64/Packages"
    release = (
        "Suite: stone\nArchitectures: amd64\nComponents: main\nSHA256:\n"
        f" {_sum(packages)} {len(packages)} {name}\n"
    )
    return {
        "dists/stone/Release": release.encode(),
        f"dists/stone/{name}": packages,
        "pool/thing_1.0_amd64.deb": deb,
    }


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def server(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """The archive on this machine, which the machine's apt trusts without a signature."""
    conf = tmp_path / "machine.conf"
    conf.write_text(
        'Acquire::AllowInsecureRepositories "true"; APT::Get::AllowUnauthenticated "true";\n'
        'Acquire::http::Proxy "DIRECT"; Acquire::Retries::Delay "false";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(conf))
    with Server(files) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        monkeypatch.setattr(
            archive, "machine_origins", lambda: (Origin(serving.address, "stone", "main"),)
        )
        yield serving
        serving.go_on.set()
        serving.shutdown()


def whole(place: Path, files: dict[str, bytes]) -> bool:
    """Whether the package is unpacked there, to the last byte."""
    return (place / "content").read_bytes() in files["pool/thing_1.0_amd64.deb"]


def unpacked(cache: Path) -> list[str]:
    """What a later run would take for unpacked, or stumble over."""
    place = cache / "unpacked"
    return sorted(path.name for path in place.iterdir()) if place.is_dir() else []


def test_a_connection_cut_in_the_middle_of_a_package(
    server: Server, tmp_path: Path, files: dict[str, bytes]
) -> None:
    server.broken = ".deb"
    with pytest.raises(LabError, match=r"^apt-helper failed .*thing_1\.0_amd64\.deb"):
        Archive(cache=tmp_path).unpack("thing")
    assert unpacked(tmp_path) == []
    server.broken = ""
    server.starts.clear()
    assert whole(Archive(cache=tmp_path).unpack("thing"), files)
    assert server.starts[0] > 0, "taken up where it ended"
    assert unpacked(tmp_path) == ["thing_1.0_amd64"]
    assert list((tmp_path / "partial").iterdir()) == []


def test_a_connection_cut_in_the_middle_of_a_list(
    server: Server, tmp_path: Path, files: dict[str, bytes]
) -> None:
    server.broken = "Packages"
    with pytest.raises(LabError, match=r"^apt-get failed "):
        Archive(cache=tmp_path).unpack("thing")
    server.broken = ""
    assert whole(Archive(cache=tmp_path).unpack("thing"), files)


def test_no_network_leaves_what_was_unpacked(
    server: Server, tmp_path: Path, files: dict[str, bytes]
) -> None:
    place = Archive(cache=tmp_path).unpack("thing")
    server.files = {}
    assert Archive(cache=tmp_path).unpack("thing") == place
    assert whole(place, files)


def test_a_part_that_was_spoilt_is_no_package_and_is_thrown_away(
    server: Server, tmp_path: Path, files: dict[str, bytes]
) -> None:
    server.broken = ".deb"
    with pytest.raises(LabError):
        Archive(cache=tmp_path).unpack("thing")
    (part,) = (tmp_path / "partial").rglob("*.deb")
    part.write_bytes(b"\0" * part.stat().st_size)
    server.broken = ""
    with pytest.raises(LabError, match="Hash Sum mismatch"):
        Archive(cache=tmp_path).unpack("thing")
    assert unpacked(tmp_path) == []
    assert whole(Archive(cache=tmp_path).unpack("thing"), files)


def test_killed_in_the_middle_of_a_package(
    server: Server, tmp_path: Path, files: dict[str, bytes]
) -> None:
    """What it started dies with it, so that nothing writes into what the next run takes up."""
    server.broken, server.how = ".deb", "stall"
    words: list[str | Path] = [sys.executable, "-c", UNPACK, server.address, tmp_path]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as maker:
        assert server.halfway.wait(60)
        children = _descendants(maker.pid)
        assert children
        maker.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(map(_lives, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_lives, children)), "what it started lives on"
    assert unpacked(tmp_path) == []
    server.broken = ""
    assert whole(Archive(cache=tmp_path).unpack("thing"), files)


def _descendants(pid: int) -> list[int]:
    found = [
        int(path.name) for path in Path("/proc").glob("[0-9]*") if _stat(path)[1:2] == [f"{pid}"]
    ]
    return [*found, *(below for child in found for below in _descendants(child))]


def _lives(pid: int) -> bool:
    return _stat(Path(f"/proc/{pid}"))[:1] not in ([], ["Z"])


def _stat(process: Path) -> list[str]:
    """State, parent and so on of a process; nothing of one that has gone."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


@pytest.mark.parametrize(
    ("room", "words"),
    [("2m", "apt-helper failed .* No space left"), ("5m", "dpkg failed .* Wrote only ")],
    ids=["downloading", "unpacking"],
)
def test_a_full_disk(server: Server, tmp_path: Path, room: str, words: str) -> None:
    """First too small a file system, then the same with more room."""
    code = f"""{UNPACK}
import os, subprocess
print(os.listdir(sys.argv[2] + "/unpacked") if os.path.isdir(sys.argv[2] + "/unpacked") else [])
subprocess.run(["mount", "-o", "remount,size=50m", sys.argv[2]], check=True)
unpack()
print(os.listdir(sys.argv[2] + "/unpacked"))
"""
    cache = tmp_path / "small"
    cache.mkdir()
    inside = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 && exec "$@"'
    python: list[str | Path] = [sys.executable, "-c", code, server.address, cache]
    run = subprocess.run(
        [*apart.namespace(), "sh", "-c", inside, "sh", room, cache, *python],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, left, second, then = run.stdout.splitlines()
    assert re.match(f"error: {words}", first)
    assert left == "[]"
    assert second == str(cache / "unpacked/thing_1.0_amd64")
    assert then == "['thing_1.0_amd64']"
    assert not os.listdir(cache), "the file system was not the machine's"  # noqa: PTH208
