# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of mainline's driver is what its sources say, and holds none of their lines."""

from __future__ import annotations

import pytest

from gen.lab.problem import LabError
from tests.kbuild.history import DOCUMENT, RELEASES, history
from tests.kbuild.kernels import source_tree

# A line of C that is longer than this is a sentence of somebody's, not a value.
VALUE = 60


@pytest.mark.kbuild
def test_the_document_is_what_the_sources_say() -> None:
    try:
        told = history()
    except LabError as error:
        pytest.skip(f"mainline's sources cannot be fetched: {error}")
    assert told == DOCUMENT.read_text(encoding="utf-8")
    lines = {
        line.strip()
        for name in RELEASES
        for path in source_tree(name).rglob("pvpanic*.[ch]")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    assert lines
    assert [line for line in lines if len(line) > VALUE and line in told] == []
