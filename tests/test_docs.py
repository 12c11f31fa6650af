# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents that are made from data are fresh."""

from __future__ import annotations

from gen.docs import DOCUMENT, rendered
from tests.conftest import ROOT


def test_the_reference_of_the_spec_language_is_fresh() -> None:
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    assert text == rendered(text), "run 'make docs'"
