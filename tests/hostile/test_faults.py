# SPDX-License-Identifier: GPL-2.0-or-later
"""A few of the system calls at which a run can end; `make faults` has all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.faults import Bench, MailBench, contents

if TYPE_CHECKING:
    from pathlib import Path

POINTS = [("renameat2", 1, "signal=KILL"), ("link", 3, "signal=KILL"), ("fsync", 2, "signal=KILL"),
          ("rmdir", 1, "signal=KILL"), ("fsync", 3, "error=ENOSPC")]  # fmt: skip
MAIL_POINTS = [("fsync", 1, "signal=KILL"), ("rename", 1, "signal=KILL"),
               ("fsync", 1, "error=ENOSPC")]  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> MailBench:
    return MailBench(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize(("call", "number", "fault"), MAIL_POINTS)
def test_a_disturbed_backport(mails: MailBench, call: str, number: int, fault: str) -> None:
    assert mails.disturb(call, number, fault) == (3 if "error" in fault else -9)


@pytest.mark.parametrize(("call", "number", "fault"), POINTS)
def test_a_disturbed_run(bench: Bench, call: str, number: int, fault: str) -> None:
    bench.disturb(call, number, fault)


def test_the_two_sets_differ(bench: Bench) -> None:
    assert contents(bench.old) != contents(bench.new)


def test_what_is_killed_is_stopped_on_the_way(bench: Bench, tmp_path: Path) -> None:
    """The fault is really met: the run before the exchange leaves the old set."""
    status = bench.run(tmp_path / "new", *bench.strace, "-o", "/dev/null", "-e", "trace=rename",
                       "-e", "inject=rename:signal=KILL:when=1")  # fmt: skip
    assert status in {-9, 137}
    assert contents(bench.old)
