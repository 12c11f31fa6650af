# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing a set of files: all or nothing, and nothing that is not ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gen import output
from gen.output import MARKER, OutputError, compare, write
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def text(body: str) -> str:
    return f"// {MARKER}\n{body}\n"


OLD = {"a.c": text("a1"), "sub/b.h": text("b1"), "c": text("c1")}
NEW = {"a.c": text("a2"), "sub/b.h": text("b1"), "d/e": text("e2")}


def contents(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8")
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_set_is_written_and_replaced(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    assert [change.path for change in write(out, OLD)] == ["a.c", "c", "sub/b.h"]
    assert contents(out) == OLD
    assert [change.path for change in write(out, NEW)] == ["a.c", "c", "d/e"]
    assert contents(out) == NEW
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_unchanged_files_are_not_touched(tmp_path: Path) -> None:
    """Make rebuilds nothing, and what kbuild left stays where it is."""
    out = tmp_path / "out"
    write(out, OLD)
    (out / "a.o").write_bytes(b"object")
    before = {name: (out / name).stat() for name in ("sub/b.h", "a.o")}
    directory = out.stat().st_ino
    assert write(out, OLD) == []
    assert out.stat().st_ino == directory
    write(out, NEW)
    for name, stat in before.items():
        now = (out / name).stat()
        assert (now.st_mtime_ns, now.st_ino) == (stat.st_mtime_ns, stat.st_ino), name


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.c").write_text("int main(void);\n")
    with pytest.raises(OutputError, match="not rendered by pvgen"):
        write(out, OLD)
    assert contents(out) == {"a.c": "int main(void);\n"}


@pytest.mark.parametrize("kind", ["symlink", "dangling", "directory", "binary"])
def test_what_is_no_rendered_file_is_left_alone(tmp_path: Path, kind: str) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.write_text(text("outside"))
    if kind == "symlink":
        (out / "a.c").symlink_to(outside)
    elif kind == "dangling":
        (out / "a.c").symlink_to(tmp_path / "nowhere")
    elif kind == "directory":
        (out / "a.c").mkdir()
    else:
        (out / "a.c").write_bytes(b"\xff\xfe")
    with pytest.raises(OutputError, match="not rendered by pvgen"):
        write(out, OLD)
    assert outside.read_text() == text("outside")


def test_notes_of_somebody_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, OLD)
    (out / "notes").write_text("mine")
    write(out, NEW)
    assert contents(out) == {**NEW, "notes": "mine"}


def test_without_exchange_each_file_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_exchange", lambda *_: False)
    out = tmp_path / "out"
    write(out, OLD)
    write(out, NEW)
    assert contents(out) == NEW


def test_a_full_or_missing_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="not a directory"):
        write(tmp_path / "file" / "out", OLD)


def test_differences_are_shown_as_a_diff(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, OLD)
    diff = "".join(change.diff() for change in compare(out, NEW))
    assert "-a1\n+a2\n" in diff
    assert "--- a/c\n+++ /dev/null" in diff
    assert "--- /dev/null\n+++ b/d/e" in diff


WRITER = """
import sys
from pathlib import Path
from gen.output import MARKER, write
out, n = Path(sys.argv[1]), 0
print("started", flush=True)
while True:
    n += 1
    write(out, {f"{i}.c": f"// {MARKER}\\n{n}\\n" for i in range(40)})
"""


def test_a_killed_run_leaves_one_set(tmp_path: Path) -> None:
    """Killed at any moment: all files of the same round, and the next run cleans up."""
    out = tmp_path / "out"
    for attempt in range(12):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(out)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.03 + attempt * 0.013)
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        if out.exists():
            found = contents(out)
            assert len(found) == 40
            assert len(set(found.values())) == 1
    write(out, OLD)
    assert contents(out) == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    out = tmp_path / "out"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(out)], stdout=subprocess.PIPE, cwd=ROOT)
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    time.sleep(0.5)
    for writer in writers:
        assert writer.poll() is None, "a writer failed"
        writer.kill()
        writer.communicate()
    assert len(set(contents(out).values())) == 1
