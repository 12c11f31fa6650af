# SPDX-License-Identifier: GPL-2.0-or-later
"""Writing a set of files: all or nothing, and nothing that is not ours."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gen import output
from gen.output import LIST, MARKER, OutputError, compare, write
from tests.conftest import ROOT


def text(body: str) -> str:
    return f"// {MARKER}\n{body}\n"


def listed(files: dict[str, str]) -> dict[str, str]:
    """A set with the list of its files, as the renderer makes it."""
    return {**files, LIST: f"# {MARKER}\n" + "".join(f"{name}\n" for name in files)}


OLD = listed({"a.c": text("a1"), "sub/b.h": text("b1"), "c": text("c1")})
NEW = listed({"a.c": text("a2"), "sub/b.h": text("b1"), "d/e": text("e2")})


def contents(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8")
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_set_is_written_and_replaced(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    assert [change.path for change in write(out, OLD)] == [LIST, "a.c", "c", "sub/b.h"]
    assert contents(out) == OLD
    assert [change.path for change in write(out, NEW)] == [LIST, "a.c", "c", "d/e"]
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


def test_copies_and_other_sets_below_stay(tmp_path: Path) -> None:
    """What bears the marker but is not in the list was put there by somebody."""
    out = tmp_path / "out"
    write(out, OLD)
    write(out / "inner", OLD)
    (out / "a.c.orig").write_text(OLD["a.c"])
    write(out, NEW)
    inner = {f"inner/{name}": content for name, content in OLD.items()}
    assert contents(out) == {**NEW, **inner, "a.c.orig": OLD["a.c"]}


def test_a_list_cannot_reach_outside(tmp_path: Path) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    write(out, OLD)
    outside.write_text(text("outside"))
    (out / LIST).write_text(f"# {MARKER}\n../outside\n{outside}\n")
    write(out, NEW)
    assert outside.read_text() == text("outside")


def test_a_link_below_is_not_followed(tmp_path: Path) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.mkdir()
    (out / "sub").symlink_to(outside)
    with pytest.raises(OutputError, match="symbolic link"):
        write(out, OLD)
    assert contents(outside) == {}


def test_the_directory_one_stands_in_is_not_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(out, OLD)
    monkeypatch.chdir(out)
    write(Path(), NEW)
    assert contents(Path.cwd()) == NEW


def test_the_root_and_loops_are_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for place in (Path("/"), tmp_path / "loop"):
        with pytest.raises(OutputError):
            write(place, OLD)


@pytest.mark.parametrize("exchange", [True, False])
def test_without_room_nothing_changes(
    exchange: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, met when half of the set is written, in either way of replacing it."""
    out = tmp_path / "out"
    write(out, OLD)
    real, left = Path.open, [2 if exchange else 5]
    if not exchange:
        monkeypatch.setattr(output, "_exchange", lambda *_: False)

    def opened(path: Path, mode: str = "r", *words: str, **named: str) -> object:
        if "w" in mode:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, mode, *words, **named)  # type: ignore[call-overload]

    with monkeypatch.context() as context:
        context.setattr(Path, "open", opened)
        with pytest.raises(OutputError, match="No space left") as caught:
            write(out, NEW)
    assert caught.value.status == 3
    assert output._STAGE not in str(caught.value)
    assert contents(out) == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


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
from gen.output import LIST, MARKER, write
names = [f"{i}.c" for i in range(39)]
listing = f"# {MARKER}\\n" + "".join(f"{name}\\n" for name in names)
out, n = Path(sys.argv[1]), 0
print("started", flush=True)
while True:
    n += 1
    write(out, {LIST: f"{listing}# {n}\\n", **{name: f"# {MARKER}\\n# {n}\\n" for name in names}})
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
            assert len({text.splitlines()[-1] for text in found.values()}) == 1
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
    assert len({text.splitlines()[-1] for text in contents(out).values()}) == 1
