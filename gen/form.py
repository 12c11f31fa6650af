# SPDX-License-Identifier: GPL-2.0-or-later
"""The form of a spec: keys, types and values held against the JSON Schema.

The schema is the one that editors use. The jsonschema library finds the violations; here they
become sentences with a place, and the schema's own descriptions become their help.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gen.diagnostics import did_you_mean
from gen.resources import spec_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema.exceptions import ValidationError

    from gen.diagnostics import Diagnostics
    from gen.yamltree import Node

# How much of a value a sentence quotes.
_QUOTED = 60

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}

# The list with which 'pvgen extract' ends what it could not wholly read.
UNDETERMINED = (
    "this was extracted from C, and not all of it could be determined; write what the list names, "
    "then remove the list"
)


def check_form(
    root: Node, diagnostics: Diagnostics, schema_file: str = "device.schema.json"
) -> bool:
    """Report every violation of a schema of `spec/`; tell whether there was none."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 (it takes long to load)

    schema = json.loads(spec_file(schema_file).read_text(encoding="utf-8"))
    errors = list(Draft202012Validator(schema).iter_errors(root.plain()))
    for error in errors:
        node = root.find(list(error.absolute_path))
        report = _REPORTS[str(error.validator)]
        report(error, node, diagnostics)
    return not errors


def _show(value: object) -> str:
    """A value as it might stand in the spec, cut to what a sentence can hold."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "..."


def _kind(value: object) -> str:
    """The type of a YAML value in words."""
    if value is None:
        return _TYPES["null"]
    kinds: Mapping[type, str] = {
        dict: "object", list: "array", str: "string", bool: "boolean", int: "integer",
        float: "number",
    }  # fmt: skip
    return _TYPES[kinds[type(value)]]


def _help(error: ValidationError) -> str | None:
    """The description that the schema gives where it was violated."""
    text = _schema(error).get("description")
    return text if isinstance(text, str) else None


def _schema(error: ValidationError) -> dict[str, Any]:
    """The part of the schema that was violated."""
    return error.schema if isinstance(error.schema, dict) else {}


def _wanted(error: ValidationError) -> Any:
    """The value of the violated keyword."""
    return error.validator_value


def _unknown_keys(error: ValidationError, node: Node, diagnostics: Diagnostics) -> None:
    known = list(_schema(error)["properties"])
    for key in node.keys:
        if key not in known:
            advice = did_you_mean(key, known) or f"known here: {', '.join(sorted(known))}"
            advice = UNDETERMINED if key == "unknown" else advice
            diagnostics.error("FORM001", f"unknown key '{key}'", node.keys[key], help=advice)


def _missing_keys(error: ValidationError, node: Node, diagnostics: Diagnostics) -> None:
    # jsonschema reports one error per missing key, but names it only inside its sentence.
    missing = next(key for key in _wanted(error) if error.message.startswith(f"'{key}' "))
    properties = _schema(error).get("properties", {})
    wanted = properties.get(missing, {}).get("description")
    diagnostics.error("FORM002", f"the key '{missing}' is missing", node.head, help=wanted)


def _wrong_type(error: ValidationError, node: Node, diagnostics: Diagnostics) -> None:
    wanted = _TYPES[str(error.validator_value)]
    advice = _help(error)
    if error.validator_value == "string" and isinstance(error.instance, int | float):
        advice = f"put it in quotes; as a number it loses digits. {advice or ''}".strip()
    message = f"this has to be {wanted}, not {_kind(error.instance)}"
    diagnostics.error("FORM003", message, node.span, help=advice)


def _not_allowed(error: ValidationError, node: Node, diagnostics: Diagnostics) -> None:
    allowed = _wanted(error) if error.validator == "enum" else [_wanted(error)]
    words = [word for word in allowed if isinstance(word, str)]
    close = {_show(word).strip('"'): word for word in words}
    advice = did_you_mean(_show(error.instance).strip('"'), close)
    advice = advice or f"one of: {', '.join(_show(value) for value in allowed)}"
    message = f"{_show(error.instance)} is not a value that is known here"
    diagnostics.error("FORM004", message, node.span, help=advice)


def _out_of_range(error: ValidationError, node: Node, diagnostics: Diagnostics) -> None:
    side = "smaller" if error.validator == "minimum" else "larger"
    message = f"{error.instance} is {side} than {error.validator_value}"
    diagnostics.error("FORM005", message, node.span, help=_help(error))


def _bad_text(error: ValidationError, node: Node, diagnostics: Diagnostics) -> None:
    message = f"{_show(error.instance)} does not have the right form"
    diagnostics.error("FORM006", message, node.span, help=_help(error))


def _bad_length(error: ValidationError, node: Node, diagnostics: Diagnostics) -> None:
    least = str(error.validator).startswith("min")
    unit = "entries" if str(error.validator).endswith("Items") else "characters"
    bound = f"{'fewer' if least else 'more'} than {error.validator_value} {unit}"
    diagnostics.error("FORM007", f"this has {bound}", node.span, help=_help(error))


def _bad_choice(error: ValidationError, node: Node, diagnostics: Diagnostics) -> None:
    allowed = [word for choice in _wanted(error) for word in choice.get("enum", ())]
    advice = did_you_mean(str(error.instance), allowed) or _help(error)
    message = f"{_show(error.instance)} is not a value that is known here"
    diagnostics.error("FORM004", message, node.span, help=advice)


# One entry for each keyword of the schema that can be violated; a test holds them together.
_REPORTS: Mapping[str, Callable[[ValidationError, Node, Diagnostics], None]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "type": _wrong_type,
    "enum": _not_allowed,
    "const": _not_allowed,
    "anyOf": _bad_choice,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "pattern": _bad_text,
    "minLength": _bad_length,
    "maxLength": _bad_length,
    "minItems": _bad_length,
    "maxItems": _bad_length,
}
