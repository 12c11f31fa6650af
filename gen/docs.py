# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of documents that are made from data: the language's keys and rules, the kernels.

`python -m gen.docs` writes them between their markers; with `--check` it only tells whether they
are fresh.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from gen.generate import read_device
from gen.kernel_load import load_kernels
from gen.kernels_command import lacks, state
from gen.resources import kernel_directory, spec_file

RULES = Path(__file__).with_name("rules.yaml")


def key_reference() -> str:
    """A table for each mapping of the language: key, type, whether it is needed, meaning."""
    schema = json.loads(spec_file("device.schema.json").read_text(encoding="utf-8"))
    sections: list[str] = []
    _mapping("the top level", schema, schema, sections)
    for bus in ("pci", "platform"):
        _mapping(f"frontends, with `bus: {bus}`", schema["$defs"][bus], schema, sections)
    _mapping("kconfig, here and in every frontend", schema["$defs"]["kconfig"], schema, sections)
    return "\n".join(sections)


def rule_reference() -> str:
    """A table of the rules about specs."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    rows = [f"| {rule} | {item['title']} | {item['why']} |" for rule, item in rules.items()]
    return "\n".join(["| rule | what is wrong | why it matters |", "|---|---|---|", *rows])


def kernel_reference() -> str:
    """A table of the series: what was verified, where a tree can be had, what each lacks."""
    device = read_device(None)
    head = f"| series | facts | packages | {device.name} in the tree | left out |"
    rows = [head, "|---|---|---|---|---|"]
    for kernel in load_kernels(kernel_directory()).all:
        tree = kernel.in_tree.get(device.name)
        shape = f"{tree.layout} `{tree.path}`, {tree.kconfig}" if tree else ""
        suites = ", ".join(kernel.suites) or f"none; branch `{kernel.branch}`"
        missing = "; ".join(lacks(kernel, device))
        rows.append(f"| {kernel.series} | {state(kernel)} | {suites} | {shape} | {missing} |")
    return "\n".join(rows)


PARTS = {
    Path("docs/spec.md"): {"keys": key_reference, "rules": rule_reference},
    Path("docs/kernels.md"): {"kernels": kernel_reference},
}


def _mapping(title: str, part: dict[str, Any], schema: dict[str, Any], out: list[str]) -> None:
    """Append the table of a mapping and those of the mappings in it."""
    rows = ["| key | value | | meaning |", "|---|---|---|---|"]
    inner: list[tuple[str, dict[str, Any]]] = []
    for key, value in part["properties"].items():
        target = {**_resolve(value, schema), **value}
        needed = "" if key in part.get("required", ()) else "optional"
        rows.append(f"| `{key}` | {_kind(target)} | {needed} | {_cell(target)} |")
        nested = _resolve(target.get("items", target), schema)
        if "properties" in nested and key not in ("kconfig", "frontends"):
            inner.append((key, nested))
    out += [f"### {title[0].upper()}{title[1:]}", "", *rows, ""]
    above = "" if title == "the top level" else f"{title.partition(',')[0]}: "
    for key, nested in inner:
        _mapping(f"{above}{key}", nested, schema, out)


def _resolve(value: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = value.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[1]] if reference else value


def _cell(target: dict[str, Any]) -> str:
    return str(target.get("description", "")).replace("|", "\\|")


def _kind(target: dict[str, Any]) -> str:
    """The values that a key takes, in a few words."""
    if "enum" in target:
        return ", ".join(
            f"`{json.dumps(v)}`" if "\n" in str(v) else f"`{v}`" for v in target["enum"]
        )
    if "const" in target:
        return f"`{target['const']}`"
    if "anyOf" in target:
        return "number or name"
    names = {"object": "mapping", "array": "list", "integer": "number", "string": "text"}
    return names[target["type"]]


def rendered(document: Path, text: str) -> str:
    """The document with its made parts replaced."""
    for name, make in PARTS[document].items():
        begin, end = f"<!-- {name}: made by make docs -->", f"<!-- {name}: end -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{document}: the markers of '{name}' are missing")
        block = f"{begin}\n\n{make().rstrip()}\n\n{end}"
        # Not as a template: the block's own backslashes are meant.
        before, after = pattern.split(text, maxsplit=1)
        text = f"{before}{block}{after}"
    return text


def main() -> None:
    """Write the documents, or with `--check` only compare them."""
    stale = []
    for document in PARTS:
        old = document.read_text(encoding="utf-8")
        new = rendered(document, old)
        if old != new:
            stale.append(str(document))
            if "--check" not in sys.argv[1:]:
                document.write_text(new, encoding="utf-8")
    if stale and "--check" in sys.argv[1:]:
        sys.exit(f"stale: {', '.join(stale)}; run 'make docs'")


if __name__ == "__main__":
    main()
