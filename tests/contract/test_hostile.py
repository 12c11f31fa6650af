# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever stands in a tree: an answer or a message, in bounded time, and nothing from outside."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner, Result

from checks.contract.side import read_tree
from gen.cli import main
from gen.diagnostics import Diagnostics
from gen.diff.compare import compare
from gen.load import parse_device
from gen.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

OUT = Path(__file__).parents[2] / "out"
BUDGET = 20.0
DOUBLING = b"".join(b"#define A%d A%d A%d\n" % (n, n - 1, n - 1) for n in range(1, 64))
HOOK = "struct notifier_block *p = &panic_notifier_list;\n"


def run(*words: object) -> Result:
    """`pvgen extract`, which never ends in an exception other than its exit."""
    start = time.process_time()
    result = CliRunner().invoke(main, ["extract", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert time.process_time() - start < BUDGET
    return result


@pytest.mark.parametrize("data", [
    b"", b"\0\1\2" * 1000, HOOK.encode() + b"\xff\xfe", HOOK.encode() + b"\0",
    HOOK.encode() * 200_000, HOOK.encode() + b"int x = " + b"(" * 50_000,
    HOOK.encode() + b"void f(void) {" + b"{" * 20_000,
    b"#define A0 x\n" + DOUBLING + b"int y = A63;\n" + HOOK.encode(),
], ids=["empty", "binary", "not-utf8", "nul", "huge", "parens", "braces", "macros"])  # fmt: skip
def test_junk_is_said_to_be_none(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.c").write_bytes(data)
    for place in (tmp_path, tmp_path / "x.c"):
        result = run(place)
        assert result.exit_code in {0, 3}
        if result.exit_code == 0:
            assert "unknown:" in result.stdout


def test_a_truncated_driver_has_unknowns(tmp_path: Path) -> None:
    core = _core(tmp_path / "d")
    text = core.read_text(encoding="utf-8")
    for part in range(1, 8):
        core.write_text(text[: len(text) * part // 8], encoding="utf-8")
        result = run(tmp_path / "d")
        assert result.exit_code == 3 or "unknown:" in result.stdout


def _core(place: Path) -> Path:
    # Not what kbuild makes of a module's symbols, which names the notifier as well.
    shutil.copytree(OUT, place, ignore=shutil.ignore_patterns("*.mod.c"))
    return next(path for path in place.glob("*.c") if "panic_notifier" in path.read_text())


def _cut(text: str, number: int) -> str:
    return "".join(text.splitlines(keepends=True)[: number - 1])


def _conflict(text: str, number: int) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: number - 1], "<<<<<<< HEAD\n", *lines[number - 1 :]])


def _noise(text: str, number: int) -> str:
    return _conflict(text, number).replace("<<<<<<< HEAD", "<<<<<< nothing")


@pytest.mark.parametrize("damage", [_cut, _noise])
@pytest.mark.parametrize("number", [110, 140, 170, 198, 210, 235])
def test_what_was_not_read_is_not_said_to_be_gone(
    damage: Callable[[str, int], str], number: int, tmp_path: Path
) -> None:
    """A part of a driver says only what the whole one does; all the rest of it is unknown."""
    core = _core(tmp_path / "d")
    core.write_text(damage(core.read_text(encoding="utf-8"), number), encoding="utf-8")
    whole, part = (read_tree(str(place), place, None) for place in (OUT, tmp_path / "d"))
    assert "driver" in {one.what for one in part.unknown}
    for old, new in ((whole, part), (part, whole)):
        result = compare(old, new)
        assert [one.message for one in result.findings] == []
        assert not result.complete


def test_a_conflict_is_named_at_its_place(tmp_path: Path) -> None:
    core = _core(tmp_path / "d")
    text = core.read_text(encoding="utf-8")
    core.write_text(_conflict(text, 110), encoding="utf-8")
    result = run(tmp_path / "d")
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"{core}:110:1: error[PARSE001]: a merge conflict is not resolved here" in result.stderr
    core.write_text(f"/*\n=======\n*/\n{text}", encoding="utf-8")
    assert run(tmp_path / "d").exit_code == 0


def test_a_file_without_the_core_has_no_device_s_name(tmp_path: Path) -> None:
    core = _core(tmp_path / "d")
    text = run(next(core.parent.glob("*-pci.c"))).stdout
    assert "\ndevice:" not in text
    assert "no Kconfig is among the files" in text
    assert "torn" not in text


def test_a_mask_of_events_is_no_event(tmp_path: Path) -> None:
    core = _core(tmp_path / "d")
    shutil.rmtree(core.parent / "uapi")
    assert "known_events" not in run(core.parent).stdout


def test_nothing_outside_the_tree_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.c").write_text(HOOK, encoding="utf-8")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "x.c").symlink_to(tmp_path / "secret.c")
    (tree / "loop").symlink_to(tree)
    (tree / "up").symlink_to(tmp_path)
    os.mkfifo(tree / "y.c")
    assert run(tree).exit_code == 3


def test_two_drivers_are_told(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.c").write_text(HOOK, encoding="utf-8")
    result = run(tmp_path)
    assert result.exit_code == 3
    assert "2 drivers: one/one.c, two/two.c; give" in result.stderr


def test_many_drivers_are_counted(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}/driver.c").write_text(HOOK, encoding="utf-8")
    assert re.search(r"20 drivers: (\S+, ){11}\S+ and 8 more; give", run(tmp_path).stderr)


def test_wrong_usage(tmp_path: Path) -> None:
    assert run().exit_code == 2
    wrong = run(tmp_path / "none", OUT, tmp_path / "other")
    assert (wrong.exit_code, wrong.stderr.count("no such file or directory")) == (2, 2)
    assert run(OUT, "--kernel", "1.0").exit_code == 2


def test_a_closed_output_is_no_success() -> None:
    words = ("sh", "-c", 'exec "$0" -m gen.cli extract out >&-', sys.executable)
    done = subprocess.run(words, cwd=OUT.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "standard output is closed" in done.stderr


def test_both_formats_say_the_same() -> None:
    text, whole = run(OUT), run(OUT, "--format", "json")
    assert text.exit_code == whole.exit_code == 0
    spec, data = yaml.safe_load(text.stdout), json.loads(whole.stdout)
    assert data["unknown"] == []
    assert "unknown" not in spec
    named = {item["name"] for item in data["items"] if item["kind"] == "event"}
    assert named == {event["name"] for event in spec["events"]}
    for item in data["items"]:
        for fact in item["facts"].values():
            assert fact["at"]["line"] >= 1
            assert Path(fact["at"]["file"]).is_file()


def _within(part: Any, whole: Any) -> bool:
    """Whether all that a document says, another one says at the same place."""
    if isinstance(part, dict):
        return all(key in whole and _within(one, whole[key]) for key, one in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(_within, part, whole))
    return bool(part == whole)


def test_the_text_is_in_the_layout_of_the_spec() -> None:
    read = yaml.safe_load(run(OUT).stdout)
    spec = yaml.safe_load((OUT.parent / "spec/pvpanic.yaml").read_text(encoding="utf-8"))
    for register in read["registers"]:
        register.pop("name")  # which is in no C
    assert {"frontends", "hooks", "sysfs", "uapi"} <= read.keys()
    assert _within(read, spec)


def test_a_list_of_unknowns_does_not_load() -> None:
    diagnostics = Diagnostics()
    text = "spec: 1\nunknown:\n  - {what: event, why: nobody knows}\n"
    assert parse_device(Source("x.yaml", text), diagnostics) is None
    said = [item for item in diagnostics.items if "'unknown'" in item.message]
    assert len(said) == 1
    assert "could not be determined" not in said[0].message
    assert "not all of it could be determined" in (said[0].help or "")
