# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether data keeps to a JSON Schema, without a word of why not: for files that nearly always do.

The jsonschema library, which says what is wrong and where, takes most of a second to load and to
go through what kernels offer. So it is asked only where the answer here is not a plain yes.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
# What a schema says besides, for people.
_WORDS = frozenset({"description", "title", "$schema", "$id", "$defs"})


class _UnsureError(Exception):
    """The schema or the data has something that is not judged here."""


def surely_valid(data: Any, schema: Schema, root: Schema) -> bool:
    """Whether data keeps to a schema whose references are those of `root`; False if in doubt."""
    try:
        return _valid(data, schema, root)
    except (_UnsureError, RecursionError):
        return False


def _valid(data: Any, schema: Any, root: Schema) -> bool:
    if not isinstance(schema, dict):
        raise _UnsureError
    for key, value in schema.items():
        if key in _WORDS:
            continue
        check = _CHECKS.get(key)
        if check is None:
            raise _UnsureError
        if not check(data, value, schema, root):
            return False
    return True


def _type(data: Any, value: Any, _schema: Schema, _root: Schema) -> bool:
    if value not in _TYPES or isinstance(data, float):
        raise _UnsureError
    return type(data) in _TYPES[value]


def _enum(data: Any, value: Any, _schema: Schema, _root: Schema) -> bool:
    """Equal as JSON is: true is not 1."""
    if isinstance(data, float) or any(isinstance(one, (dict, list, float)) for one in value):
        raise _UnsureError
    return any(type(one) is type(data) and one == data for one in value)


def _object(data: Any, _value: Any, schema: Schema, root: Schema) -> bool:
    """Properties, and what others there may be."""
    if type(data) is not dict:
        return True
    known, more = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name, item in data.items():
        if type(name) is not str:
            raise _UnsureError
        if (inner := known.get(name, more)) is False or not _valid(item, inner, root):
            return False
    return True


def _names(data: Any, value: Any, _schema: Schema, root: Schema) -> bool:
    return type(data) is not dict or all(_valid(name, value, root) for name in data)


def _items(data: Any, value: Any, _schema: Schema, root: Schema) -> bool:
    return type(data) is not list or all(_valid(item, value, root) for item in data)


def _unique(data: Any, value: Any, _schema: Schema, _root: Schema) -> bool:
    if type(data) is not list or not value:
        return True
    if any(type(item) is not str for item in data):
        raise _UnsureError
    return len(set(data)) == len(data)


def _pattern(data: Any, value: Any, _schema: Schema, _root: Schema) -> bool:
    return type(data) is not str or _compiled(value).search(data) is not None


def _one_of(data: Any, value: Any, _schema: Schema, root: Schema) -> bool:
    return sum(_valid(data, one, root) for one in value) == 1


def _reference(data: Any, value: Any, _schema: Schema, root: Schema) -> bool:
    head, _, name = value.rpartition("/")
    if head != "#/$defs":
        raise _UnsureError
    return _valid(data, root["$defs"][name], root)


def _at_least(
    kind: type[str | list[Any] | dict[str, Any]],
) -> Callable[[Any, Any, Schema, Schema], bool]:
    return lambda data, value, _schema, _root: not isinstance(data, kind) or len(data) >= value


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_CHECKS: dict[str, Callable[[Any, Any, Schema, Schema], bool]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda data, value, schema, root: _enum(data, [value], schema, root),
    "properties": _object,
    # Judged with the properties, if there are any.
    "additionalProperties": lambda data, value, schema, root: (
        "properties" in schema or _object(data, value, schema, root)
    ),
    "propertyNames": _names,
    "required": lambda data, value, _schema, _root: (
        type(data) is not dict or all(name in data for name in value)
    ),
    "items": _items,
    "uniqueItems": _unique,
    "pattern": _pattern,
    "oneOf": _one_of,
    "$ref": _reference,
    "minLength": _at_least(str),
    "minItems": _at_least(list),
    "minProperties": _at_least(dict),
}
