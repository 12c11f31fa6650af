# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents that are made from data are fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gen.docs import PARTS, rendered
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("document", PARTS, ids=str)
def test_a_document_is_fresh(document: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert text == rendered(document, text), "run 'make docs'"
