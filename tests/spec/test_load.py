# SPDX-License-Identifier: GPL-2.0-or-later
"""Loading: the shipped spec, places, and any text whatever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gen import form
from gen.diagnostics import Diagnostics, format_text
from gen.frontend import PciFrontend
from gen.load import load_device, parse_device
from gen.release import Release
from gen.source import Source
from tests.conftest import ROOT

if TYPE_CHECKING:
    from gen.model import Device

BASE = (ROOT / "tests/spec/base.yaml").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "spec/device.schema.json").read_text(encoding="utf-8"))


def load(name: str) -> Device:
    diagnostics = Diagnostics()
    device = load_device(ROOT / name, diagnostics)
    assert device is not None, [format_text(item) for item in diagnostics]
    return device


def test_places_point_into_the_spec() -> None:
    device = load("spec/pvpanic.yaml")
    for event in device.events:
        span = event.at["bit"]
        line = span.source.line(span.line)
        assert line.strip() == f"bit: {event.bit}"
        assert line[span.column - 1 : span.column - 1 + span.length] == str(event.bit)
    pci = next(f for f in device.frontends if isinstance(f, PciFrontend))
    place = pci.vendor.at["id"]
    assert "0x1b36" in place.source.line(place.line)


def test_releases_are_ordered_as_numbers() -> None:
    assert Release.parse("6.9") < Release.parse("6.10") < Release.parse("7.0")
    assert str(Release.parse("6.10")) == "6.10"


def test_the_schema_is_valid_and_every_keyword_has_a_report() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    keywords: set[str] = set()

    def collect(schema: object) -> None:
        if isinstance(schema, dict):
            for key, value in schema.items():
                keywords.add(key)
                children = value.values() if key in ("properties", "$defs") else [value]
                for child in children:
                    collect(child)
        elif isinstance(schema, list):
            for child in schema:
                collect(child)

    collect(SCHEMA)
    structure = {"$schema", "$ref", "$defs", "title", "description"}
    applicators = {"properties", "items", "allOf", "if", "then"}
    assert keywords - structure - applicators <= set(form._REPORTS)


def test_all_errors_of_a_file_are_reported_in_one_run() -> None:
    diagnostics = Diagnostics()
    load_device(ROOT / "tests/spec/bad/many.yaml", diagnostics)
    assert [item.rule for item in diagnostics] == [
        "FORM004", "FORM004", "FORM002", "FORM005", "FORM001", "FORM006",
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_text_gives_a_traceback(data: st.DataObject) -> None:
    """Cut, doubled, swapped and overwritten pieces of a good spec: a device, or messages."""
    text = BASE
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        piece = data.draw(
            st.sampled_from(
                ["", "\t", ": ", "- ", "[", "}", "\x00", "\u202e", "''", '"', "0x", "-1", "1e9",
                 "~", "null", "true", "\n", "\r\n", "? ", "&a ", "*a", "!!int ", "# ", "{{ x }}",
                 "99999999999999999999", "\ud7ff", "é", "|\n", text[start:end] * 2],
            )
        )  # fmt: skip
        text = text[:start] + piece + text[end:]
    diagnostics = Diagnostics()
    device = parse_device(Source("spec", text), diagnostics)
    assert (device is None) == bool(diagnostics.items)
    for item in diagnostics:
        assert 1 <= item.span.line <= len(item.span.source.lines)
        format_text(item)
