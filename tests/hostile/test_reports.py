# SPDX-License-Identifier: GPL-2.0-or-later
"""What a spec says stays a text in the reports of a diff: markdown, SARIF, JSON, GitHub's."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from gen.diff.compare import compare
from gen.diff.records import Side
from gen.diff.report import FORMATS
from tests.hostile.test_specs import _texts, fields, load

# A span of code ends with as many backticks as it begins with; nothing in it means anything.
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
EXTRA = ["*b* <b>x</b> [a](http://x)", "| a | b |", "# head", "<!-- x", "@everyone", "![x](y)",
         "&lt;", "~~~ x", "::error::x", "##[error]x", "https://x.example", "- [ ] x"]  # fmt: skip


def reports(text: str | None) -> dict[str, str]:
    """Each form of the report on a change of all prose to a text; none where it is refused."""
    values = {} if text is None else {field.path: text for field in fields() if field.prose}
    device, plain = load(values)[0], load({})[0]
    if device is None or plain is None:
        return {}
    result = compare(Side("old", plain), Side("new", device))
    return {name: form(result) for name, form in FORMATS.items()}


@cache
def expected() -> dict[str, Any]:
    return {name: shape(name, text) for name, text in reports("Words").items()}


def shape(form: str, text: str) -> object:
    """What the report consists of, without what texts say."""
    if form == "markdown":
        return [re.sub(r"\w+", "w", _CODE.sub("code", line)).count("|") if "|" in line else
                bool(line) for line in text.splitlines()]  # fmt: skip
    if form in {"json", "sarif"}:
        return kinds(json.loads(text))
    if form == "github":
        return [line.partition(" ")[0] for line in text.splitlines()]
    return "text"


def kinds(value: Any) -> object:
    if isinstance(value, dict):
        return {key: kinds(inner) for key, inner in value.items()}
    return [kinds(one) for one in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("text", [*_texts("markdown", "yaml", "kconfig"), *EXTRA])
def test_a_text_stays_one(text: str) -> None:
    made = reports(text)
    assert made or text not in EXTRA
    for form, report in made.items():
        assert shape(form, report) == expected()[form], form
        assert not any(line.lstrip().startswith(("::error::x", "##[error]"))
                       for line in report.splitlines())  # fmt: skip
    if text in EXTRA:
        cells = _CODE.sub("", made["markdown"])
        assert text.replace("|", "\\|") not in cells, "not within a span of code"


def test_what_broke_out_would_be_seen() -> None:
    assert set(expected()) == set(FORMATS)
    assert shape("markdown", "| a | b |") != shape("markdown", "| `a | b` |")
    assert shape("github", "::error x\n::error y") != shape("github", "::error x%0A::error y")
    assert shape("json", '{"a": ["b"]}') != shape("json", '{"a": ["b", "c"]}')
