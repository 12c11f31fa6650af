# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading what kernels offer: spec/kernels/api.yaml and a file for each series.

Their language is spec/kernels.schema.json.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from gen.api import Access, Api, Lock, Member, Range
from gen.kernel import InTree, Kernel, KernelFactsError, Kernels, Packages, Verification
from gen.release import Release
from gen.valid import surely_valid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TABLE = "api.yaml"


SCHEMA = "kernels.schema.json"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_kernels(directory: Path) -> Kernels:
    """Read `api.yaml` and every series file in `directory` (spec/kernels).

    What was read is kept: a run that renders for many targets reads files once, unless they change.

    Raises:
        KernelFactsError: a file is missing, is no YAML or breaks the schema, no series is the
            default or two are.
    """
    files = (*sorted(directory.glob("*.yaml")), directory.parent / SCHEMA)
    states = [path.stat() for path in files if path.is_file()]
    return _load(
        directory, tuple((state.st_ino, state.st_mtime_ns, state.st_size) for state in states)
    )


@lru_cache(maxsize=2)
def _load(directory: Path, _states: tuple[tuple[int, int, int], ...]) -> Kernels:
    """The same; the states of the files tell apart what was read before from what was not."""
    schema = _schema(directory.parent / SCHEMA)
    table = _read(directory / TABLE, schema)
    headers = {name: _range(item) for name, item in table["headers"].items()}
    bringers = {
        name: frozenset(item["brought-by"])
        for name, item in table["headers"].items()
        if "brought-by" in item
    }
    exported = frozenset(n for n, item in table["headers"].items() if item.get("user-space"))
    apis = {name: _api(name, item) for name, item in table["apis"].items()}
    files = [path for path in sorted(directory.glob("*.yaml")) if path.name != TABLE]
    items = [_read(path, schema) for path in files]
    kernels = sorted(
        (_kernel(item, apis, headers, bringers, exported) for item in items),
        key=lambda k: k.release,
    )
    defaults = [item["series"] for item in items if item.get("default")]
    if len(defaults) != 1:
        raise KernelFactsError(f"{directory}: one series has to be the default, not {defaults}")
    default = next(kernel for kernel in kernels if kernel.series == defaults[0])
    return Kernels(tuple(kernels), default)


def _schema(path: Path) -> dict[str, Any]:
    try:
        schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise KernelFactsError(f"{path}: {error}") from None
    return schema


def _read(path: Path, schema: dict[str, Any]) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise KernelFactsError(f"{path}: {error}") from None
    kind = "table" if path.name == TABLE else "series"
    own = {**schema, "oneOf": [{"$ref": f"#/$defs/{kind}"}]}
    if not surely_valid(data, own, own):
        _refuse_broken(path, data, own)
    if not isinstance(data, dict):
        raise KernelFactsError(f"{path}: not a mapping")
    return data


def _refuse_broken(path: Path, data: object, schema: dict[str, Any]) -> None:
    """Raises KernelFactsError where data breaks a schema."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 (it takes long to load)

    broken = next(Draft202012Validator(schema).iter_errors(data), None)
    if broken is not None:
        deepest = max(broken.context or [broken], key=lambda item: len(item.absolute_path))
        place = ".".join(str(step) for step in deepest.absolute_path)
        raise KernelFactsError(f"{path}: {place or 'top level'}: {deepest.message}")


def _range(item: Mapping[str, Any]) -> Range:
    since, until = item.get("since"), item.get("until")
    return Range(
        Release.parse(since) if since else None,
        Release.parse(until) if until else None,
        item.get("replacement"),
    )


def _members(item: Mapping[str, Any]) -> Iterator[Member]:
    for name, value in item.items():
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            entry = {"text": text} if isinstance(text, str) else text
            yield Member(name, entry["text"], _range(entry))


def _api(name: str, item: Mapping[str, Any]) -> Api:
    header = item["header"]
    headers = {header: {}} if isinstance(header, str) else header
    params = item.get("params")
    return Api(
        name=name,
        kind=item["kind"],
        headers={key: _range(value) for key, value in headers.items()},
        range=_range(item),
        prototype=item.get("prototype"),
        arch=item.get("arch", False),
        params=None if params is None else tuple(params),
        expands=item.get("expands"),
        value=item.get("value"),
        members=tuple(_members(item.get("members", {}))),
        positions=tuple(item.get("positions", ())),
        sleeps=item.get("sleeps"),
        fails=item.get("fails"),
        fails_since=Release.parse(since) if (since := item.get("fails-since")) else None,
        must_check=item.get("must-check", False),
        acquires=item.get("acquires"),
        releases=item.get("releases"),
        managed=item.get("managed"),
        managed_with={key: _range(value) for key, value in item.get("managed-with", {}).items()},
        access=Access(**item["access"]) if "access" in item else None,
        repeats=Access(**item["repeats"]) if "repeats" in item else None,
        maps=item.get("maps"),
        implies=item.get("implies", {}),
        calls=item.get("calls", {}),
        lock=Lock(**item["lock"]) if "lock" in item else None,
        initialises=item.get("initialises"),
        tells=item.get("tells"),
        walk=item.get("walk"),
        waits=item.get("waits"),
        data=item.get("data"),
        resets=item.get("resets", False),
        returns=item.get("returns"),
        brought={key: _range(value) for key, value in item.get("brought", {}).items()},
    )


def _kernel(
    item: Mapping[str, Any],
    table: Mapping[str, Api],
    headers: Mapping[str, Range],
    bringers: Mapping[str, frozenset[str]],
    exported: frozenset[str],
) -> Kernel:
    debian = item.get("debian")
    return Kernel(
        series=item["series"],
        suites=tuple(debian["suites"]) if debian else (),
        architectures=tuple(debian.get("architectures", ())) if debian else (),
        packages=Packages(**debian["packages"]) if debian else None,
        verification=Verification(**item["verified"]) if item["verified"] else None,
        branch=item["branch"],
        in_tree={
            name: InTree(**{**found, "modules": tuple(found["modules"])})
            for name, found in item["in-tree"].items()
        },
        release=Release.parse(item["series"]),
        table=table,
        header_table=headers,
        bringers=bringers,
        exported=exported,
    )
