# SPDX-License-Identifier: GPL-2.0-or-later
"""Specs from strangers: every text in every place is refused there, or is nothing but a text."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from gen.cli import main
from gen.deb import license_of
from gen.diagnostics import Diagnostics, format_text
from gen.dkms import Rendering
from gen.generate import find_target
from gen.load import parse_device
from gen.needs import Need
from gen.plan import make_plan
from gen.render import render, render_debian, render_dkms
from gen.resources import template_directory
from gen.source import Source
from gen.yamltree import read_yaml
from tests.conftest import ROOT
from tests.hostile.shapes import shapes

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from gen.model import Device
    from gen.plan import Target

HERE = Path(__file__).parent
SPEC: dict[str, Any] = yaml.safe_load((ROOT / "spec/pvpanic.yaml").read_text(encoding="utf-8"))
CORPUS: dict[str, list[Any]] = yaml.safe_load((HERE / "texts.yaml").read_text(encoding="utf-8"))
Path_ = tuple[str | int, ...]


# What is tried as a name, too: what would break out of code.
CODE = ("comment-c", "string-c", "macro", "make", "kconfig", "yaml")


def _texts(*kinds: str) -> list[Any]:
    cases = []
    for kind, items in CORPUS.items():
        if kinds and kind not in kinds:
            continue
        for number, item in enumerate(items):
            text = item["of"] * item["times"] if isinstance(item, dict) else item
            cases.append(pytest.param(text, id=f"{kind}-{number}"))
    return cases


@dataclass(frozen=True)
class Field:
    """A value of the spec that is text: where it is, and whether it is prose or a name."""

    path: Path_
    prose: bool


@cache
def fields() -> tuple[Field, ...]:
    """All of them, prose being what the schema allows any words in."""
    found = []
    left: list[tuple[Path_, Any]] = [((), SPEC)]
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            left += [((*path, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            left += [((*path, index), inner) for index, inner in enumerate(value)]
        elif isinstance(value, str):
            prose = path[-1] in {"title", "summary", "author", "description", "why", "prompt",
                                 "help", "contact"}  # fmt: skip
            found.append(Field(path, prose))
    return tuple(sorted(found, key=lambda field: str(field.path)))


def changed(values: Mapping[Path_, str]) -> Source:
    """The spec with other values, each on a line of its own."""
    data = copy.deepcopy(SPEC)
    for path, text in values.items():
        place = data
        for step in path[:-1]:
            place = place[step]  # type: ignore[index]
        place[path[-1]] = text  # type: ignore[index]
    return Source("hostile.yaml", json.dumps(data, indent=1, ensure_ascii=False))


def load(values: Mapping[Path_, str]) -> tuple[Device | None, Source, Diagnostics]:
    source, diagnostics = changed(values), Diagnostics()
    device = parse_device(source, diagnostics)
    for item in diagnostics:
        shown = format_text(item)
        assert all(char.isprintable() or char in "\n\t" for char in shown)
        assert not any(line.lstrip().startswith("::") for line in shown.split("\n"))
    return device, source, diagnostics


def refused(values: Mapping[Path_, str]) -> set[Path_]:
    """Which of these values are complained of, each at its own place."""
    device, source, diagnostics = load(values)
    if device is not None:
        return set()
    assert diagnostics.failed
    root = read_yaml(source, Diagnostics())
    if root is None:  # the text as a whole is no YAML, which is said at one place
        assert {item.rule for item in diagnostics} == {"YAML001"}
        return set(values)
    lines = {item.span.line for item in diagnostics}
    lines |= {related.span.line for item in diagnostics for related in item.related}
    found = {path for path in values if root.find(list(path)).span.line in lines}
    assert found, [str(item) for item in diagnostics]
    return found


@cache
def plain(*more: str) -> tuple[dict[str, Hashable], ...]:
    device, _, diagnostics = load({})
    assert device is not None, list(diagnostics)
    return everything(device, *more)


@cache
def target(series: str | None) -> Target:
    return find_target(series, None)


RENDERINGS = (
    Rendering("5.10", (), {}),
    Rendering("6.1", (Need("linux/x.h", "x", "struct y"),), {}),
)


def everything(device: Device, *more: str) -> tuple[dict[str, Hashable], ...]:
    """The shapes of all that is rendered: for the default kernel and others, DKMS and Debian."""
    made = []
    for series in (None, *more):
        plan = make_plan(device, target(series), "spec.yaml")
        made.append(shapes(render(plan, template_directory())))
    dkms = render_dkms(template_directory(), device, spec="spec.yaml", version="1",
                       renderings=RENDERINGS, as_of=None)  # fmt: skip
    debian = render_debian(
        template_directory(), device, package="x-dkms", spec="spec.yaml", version="1", as_of=None,
        maintainer="N <n@example.org>", date=datetime(2026, 1, 1, tzinfo=UTC),
        license_=license_of(device.license),
    )  # fmt: skip
    return (*made, shapes(dkms), shapes(debian))


@pytest.mark.parametrize("text", _texts())
def test_prose(text: str) -> None:
    """One text in all places for prose at once: refused in each, or text in each."""
    values = {field.path: text for field in fields() if field.prose}
    bad = refused(values)
    if bad:
        assert bad == set(values)
    else:
        device = load(values)[0]
        assert device is not None
        assert everything(device, "5.10") == plain("5.10")


@pytest.mark.parametrize("text", _texts(*CODE))
def test_names(text: str) -> None:
    """One text as every name: what is accepted changes names, and not what there is of them."""
    values = {field.path: text for field in fields() if not field.prose}
    for path in sorted(set(values) - refused(values), key=str):
        device = load({path: text})[0]
        if device is not None:
            for one, two in zip(everything(device), plain(), strict=True):
                assert _kinds(one) == _kinds(two), path


def _kinds(files: Mapping[str, Hashable]) -> list[str]:
    """How many files there are, and the kinds of tokens in each, without what names say."""
    return sorted(
        str([token[0] for token in shape[0]]) if path.endswith((".c", ".h")) else "other"
        for path, shape in files.items()
        if isinstance(shape, tuple)
    )


def test_the_corpus_covers_the_spec() -> None:
    assert sum(map(len, CORPUS.values())) >= 150
    prose = [field for field in fields() if field.prose]
    assert len(prose) >= 20
    assert len(fields()) - len(prose) >= 40
    accepted = [case.values[0] for case in _texts()
                if not refused({field.path: str(case.values[0]) for field in prose})]  # fmt: skip
    # Neither is everything refused, nor nothing.
    assert 50 < len(accepted) < 250


NAMES = [
    "a b", "a\nb", "x*", "-x", "$(id)", "`id`", "x;id", "x'y", 'x"y', "\\",
    "x\u202ey", "#x", "x\x1b[31m",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_spec_whose_own_name_could_break_out(name: str, tmp_path: Path) -> None:
    spec = tmp_path / f"{name}.yaml"
    spec.write_bytes((ROOT / "spec/pvpanic.yaml").read_bytes())
    for command in ("gen", "dkms"):
        result = CliRunner().invoke(
            main, [command, "--spec", str(spec), "--out", str(tmp_path / "o")]
        )
        if name.startswith("*"):  # a directory of that name; only the file's own is shown
            continue
        assert result.exit_code == 2, result.output
        assert "cannot stand in rendered files" in result.stderr
        assert not (tmp_path / "o").exists()


BOMBS = {
    "aliases": "a: &a [1,1]\nb: &b [*a,*a]\nc: [*b,*b]\n",
    "merge": "a: &a {x: 1}\nb: {<<: *a}\n",
    "recursive": "a: &a [*a]\n",
    "depth-flow": "[" * 5000,
    "depth-block": "".join(f"{' ' * n}a:\n" for n in range(300)),
    "depth-keys": "? " * 3000,
    "many": "a: [" + "1," * 100_000 + "]\n",
    "size": "#" * (2 << 20),
    "duplicate": "spec: 1\nspec: 1\n",
    "tag-python": "a: !!python/object/apply:os.system [id]\n",
    "tag-binary": "a: !!binary aGk=\n",
    "tag-own": "a: !x y\n",
    "number": "spec: " + "9" * 100_000 + "\n",
    "float": "spec: 1e999999999\n",
    "hex": "spec: 0x" + "f" * 10_000 + "\n",
    "key-long": "k" * 100_000 + ": 1\n",
    "key-list": "[a]: 1\n",
    "key-map": "{a: b}: 1\n",
    "key-empty": "'': 1\n",
    "key-escape": '"\\e[31m\\u202e": 1\n',
    "two": "spec: 1\n---\nspec: 1\n",
    "directive": "%YAML 9.9\n---\nspec: 1\n",
    "nul": "spec: 1\0\n",
    "bell": "spec: \x07\n",
    "cr": "spec: 1\rspec: 2\n",
    "nel": "spec: 1\x85spec: 2\n",
    "surrogate": '"\\ud800": 1\n',
    "unclosed": 'spec: "\n',
    "tab": "spec:\n\t- 1\n",
    "scalar": "x\n",
    "list": "- 1\n",
    "null": "~\n",
    "empty": "",
    "spaces": " \n" * 1000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_document_is_refused(name: str, tmp_path: Path) -> None:
    _refused(tmp_path, BOMBS[name].encode())


@pytest.mark.parametrize("data", [
    "spec: 1\n".encode("utf-16"), "spec: 1\n".encode("utf-16-be"), "spec: 1\n".encode("utf-32"),
    b"\xef\xbb\xbf\xef\xbb\xbfspec: 1\n", b"\xff\xfe", b"spec: \xc0\x80\n", b"\x1f\x8b\x08" * 99,
    b"spec: \xed\xa0\x80\n",
], ids=range(8))  # fmt: skip
def test_other_encodings_are_refused(data: bytes, tmp_path: Path) -> None:
    _refused(tmp_path, data)


def _refused(room: Path, data: bytes) -> None:
    spec = room / "x.yaml"
    spec.write_bytes(data)
    result = CliRunner().invoke(main, ["gen", "--spec", str(spec), "--out", str(room / "o")])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    assert f"{spec}:" in result.stderr
    assert "error[" in result.stderr
    assert not (room / "o").exists()
