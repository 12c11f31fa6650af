# SPDX-License-Identifier: GPL-2.0-or-later
"""Every input of the corpus, every one that ever broke something, and a little fuzzing."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from checks.rule import Found, Unknown
from tests.fuzz.__main__ import CHAIN, ROOT, SHARES, seeds
from tests.fuzz.limits import TooSlow, limited
from tests.fuzz.mutate import by_tokens, change
from tests.fuzz.targets import TARGETS, executed

HERE = Path(__file__).parent
INPUTS = [(name, path) for name in TARGETS for room in (*seeds(name), HERE / "found" / name)
          for path in sorted(room.glob("*"))]  # fmt: skip


def test_every_target_has_a_share_and_a_corpus() -> None:
    assert set(SHARES) - {CHAIN} == set(TARGETS) == {name for name, _ in INPUTS}
    # No directory is left over, and no file stands in two of them.
    files = [path for room in ("corpus", "found") for path in (HERE / room).glob("*/*")]
    assert set(files) == {path for _, path in INPUTS}
    assert len({path.read_bytes() for path in files}) == len(files)


@pytest.mark.parametrize(("name", "path"), INPUTS,
                         ids=[f"{name}-{path.name[:40]}" for name, path in INPUTS])  # fmt: skip
def test_input(name: str, path: Path) -> None:
    target = TARGETS[name]
    target(b"")  # what is read once for all is not this input's time
    limited(target)(path.read_bytes())


def test_the_driver_is_really_run() -> None:
    """What only running shows is found in the seed, another defect in a changed one."""
    data = (HERE / "corpus/run/mite.c").read_bytes()
    words = executed(data)
    assert [type(word) for word in words] == [Found]
    assert "its path gives up because somebody holds the lock" in str(words[0])
    wrong = executed(data.replace(b"regs + 8", b"regs + 88"))
    assert any("88" in str(word) or "outside" in str(word) for word in wrong), wrong
    assert all(isinstance(word, Unknown) for word in executed(b"int x {\n"))


def test_changes_by_tokens_keep_to_the_size_and_mostly_change() -> None:
    tokens, rng = ["int", " ", "x", ";"], random.Random(1)  # noqa: S311 (no secret)
    made = {"".join(change(tokens, rng)) for _ in range(200)}
    assert len(made) > 50
    assert {"x;", "int", "int x;int x;"} & made
    text = (HERE / "corpus/run/mite.c").read_bytes()
    assert all(len(by_tokens(text, 500, rng)) <= 500 for _ in range(20))


def test_what_takes_too_long_is_a_crash() -> None:
    def endless(_data: bytes) -> None:
        while True:
            pass

    with pytest.raises(TooSlow):
        limited(endless, 0.2)(b"")


def test_a_short_run_finds_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "8", "spec", "c"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:-1]]
    assert [row[0] for row in rows] == ["spec", "c"]
    assert all(int(row[1]) > 0 for row in rows)
