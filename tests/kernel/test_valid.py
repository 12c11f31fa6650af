# SPDX-License-Identifier: GPL-2.0-or-later
"""What is surely valid is what the jsonschema library takes, for kernel facts that were changed."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from gen.valid import surely_valid
from tests.conftest import ROOT

SCHEMA = json.loads((ROOT / "spec/kernels.schema.json").read_text(encoding="utf-8"))
FACTS = [yaml.safe_load(path.read_text(encoding="utf-8"))
         for path in sorted((ROOT / "spec/kernels").glob("*.yaml"))]  # fmt: skip
VALUES: list[Any] = [None, True, 1, 0, -1, 1.0, "", "x", "6.1", "linux/io.h", [], ["x", "x"], {},
                     {"x": 1}, {"text": "x"}]  # fmt: skip


def small(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with a few of the many interfaces."""
    return {key: dict(list(value.items())[::29]) if isinstance(value, dict) and len(value) > 99
            else value for key, value in facts.items()}  # fmt: skip


def places(data: Any) -> list[tuple[Any, Any]]:
    pairs = list(data.items()) if isinstance(data, dict) else list(enumerate(data))
    inner = [item for _, item in pairs if isinstance(item, (dict, list))]
    return [(data, key) for key, _ in pairs] + [one for item in inner for one in places(item)]


def test_facts_as_they_are_need_no_second_look() -> None:
    assert all(surely_valid(facts, SCHEMA, SCHEMA) for facts in FACTS)


@pytest.mark.parametrize("seed", range(10))
def test_nothing_broken_is_surely_valid(seed: int) -> None:
    draw, validator = random.Random(seed), Draft202012Validator(SCHEMA)  # noqa: S311 (no secret)
    answers = set()
    for facts in map(small, FACTS):
        for _ in range(8):
            changed = copy.deepcopy(facts)
            where, key = draw.choice(places(changed))
            if draw.random() < 0.3:
                del where[key]
            elif isinstance(where, dict) and draw.random() < 0.3:
                where["new"] = draw.choice(VALUES)
            else:
                where[key] = draw.choice(VALUES)
            answer = surely_valid(changed, SCHEMA, SCHEMA)
            answers.add(answer)
            assert not answer or validator.is_valid(changed)
    assert answers == {True, False}
