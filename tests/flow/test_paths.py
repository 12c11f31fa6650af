# SPDX-License-Identifier: GPL-2.0-or-later
"""Graphs and paths: every way through a function is followed, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.flow.values import NEGATIVE, POSITIVE, ZERO, both, complement, number, refine, sign
from tests.flow.snippets import trace

if TYPE_CHECKING:
    from pathlib import Path

WAYS = {
    "straight": ("int f(int a) { return a; }", 1),
    "if": ("int f(int a) { if (a) return 1; return 2; }", 2),
    "and": ("int f(int a, int b) { if (a && b) return 1; return 2; }", 3),
    "or": ("int f(int a, int b) { if (a || b) return 1; return 2; }", 3),
    "not": ("int f(int a) { if (!a) return 1; return 2; }", 2),
    "same test twice": ("int f(int a) { if (a) g(); if (!a) return 1; return 2; }", 2),
    "choice": ("int f(int a) { return a ? 1 : 2; }", 2),
    "nested choice": ("int f(int a, int b) { return a ? b ? 1 : 2 : 3; }", 3),
    "choice in a test": ("int f(int a) { if (a ? 0 : 1) return 1; return 2; }", 2),
    "switch": (
        "int f(int a) { switch (a) { case 1: return 1; case 2: g(); default: h(); } return 3; }",
        3,
    ),
    "switch without default": ("int f(int a) { switch (a) { case 1: return 1; } return 2; }", 2),
    "while": ("int f(int a) { while (g()) h(); return 1; }", 2),
    "do": ("int f(void) { do { g(); } while (h()); return 1; }", 1),
    "break": ("int f(void) { for (;;) { if (g()) break; h(); } return 1; }", 2),
    "continue": ("int f(void) { while (g()) { if (h()) continue; i(); } return 1; }", 4),
    "goto": ("int f(int a) { if (a) goto out; g(); out: return 1; }", 2),
    "backward goto": ("int f(void) { again: if (g()) goto again; return 1; }", 1),
    "for ever": ("int f(void) { for (;;) g(); }", 0),
    "contradiction": (
        "int f(int a) { if (a < 0) return 1; if (!a) return 2; if (a > 0) return 3; return 4; }",
        3,
    ),
    "pointer": (
        ("int f(void *p) { if (IS_ERR(p)) return 1; if (!p) return 2;"
        " if (IS_ERR_OR_NULL(p)) return 3; return 4; }"),
        3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(WAYS))
def test_every_way_is_followed(tmp_path: Path, case: str) -> None:
    text, count = WAYS[case]
    found = trace(tmp_path, "int g(void); int h(void); int i(void);\n" + text)
    assert found.why is None
    assert len(found.paths) == count


def test_too_many_paths_are_given_up_and_told(tmp_path: Path) -> None:
    tests = "\n".join(f"if (a{n}) g();" for n in range(14))
    names = ", ".join(f"int a{n}" for n in range(14))
    found = trace(tmp_path, f"int g(void);\nint f({names}) {{ {tests} return 0; }}")
    assert found.why == "too many paths lead through 'f'"


def test_a_lock_that_may_fail_is_held_on_one_path_only(tmp_path: Path) -> None:
    found = trace(tmp_path, "int f(void) { if (!spin_trylock(&big)) return 1; return 2; }")
    held = {path.value: len(path.state.locks) for path in found.paths}
    assert held == {("num", 1): 0, ("num", 2): 1}


def test_a_helper_that_takes_a_lock_ends_in_two_ways(tmp_path: Path) -> None:
    helper = "static int g(void) { return spin_trylock(&big); }\n"
    found = trace(tmp_path, helper + "int f(void) { if (g()) return 1; return 2; }")
    held = {path.value: len(path.state.locks) for path in found.paths}
    assert held == {("num", 1): 1, ("num", 2): 0}


def test_guards_end_with_their_scope(tmp_path: Path) -> None:
    text = (
        "int f(int a) { { guard(mutex)(&slow); if (a) return 1; }"
        " scoped_guard(mutex, &slow) { a = 2; } return 3; }"
    )
    found = trace(tmp_path, text)
    assert [path.state.locks for path in found.paths] == [(), ()]
    assert {event.name for event in found.of("lock")} == {"mutex_lock"}


def test_a_value_goes_through_members_and_helpers(tmp_path: Path) -> None:
    text = (
        "static int g(int x) { return x; }\n"
        "int f(struct bell *b) { b->mask = 7; b->mask &= 5; return g(b->mask); }"
    )
    assert [path.value for path in trace(tmp_path, text).paths] == [("num", 5)]


def test_bits_are_joined() -> None:
    one, other = ("param", 0, "a"), ("param", 1, "b")
    assert both("and", both("and", one, number(7)), both("and", number(3), other)) == (
        "and", frozenset({one, other}), 3,
    )  # fmt: skip
    assert complement(complement(one)) == one
    assert both("or", number(1), number(4)) == number(5)


@pytest.mark.parametrize(
    ("op", "n", "yes", "no"),
    [
        ("<", 0, NEGATIVE, ZERO | POSITIVE),
        (">=", 0, ZERO | POSITIVE, NEGATIVE),
        ("==", 0, ZERO, NEGATIVE | POSITIVE),
        (">", 0, POSITIVE, NEGATIVE | ZERO),
        ("<", 1, NEGATIVE | ZERO, POSITIVE),
        ("==", 3, POSITIVE, NEGATIVE | ZERO | POSITIVE),
    ],
)
def test_a_comparison_tells_signs(op: str, n: int, yes: int, no: int) -> None:
    value = ("param", 0, "a")
    for allowed, expected in ((NEGATIVE | POSITIVE, yes), (ZERO, no)):
        signs: dict[tuple[object, ...], int] = {}
        assert refine(signs, ("cmp", op, value, number(n)), allowed)
        assert sign(signs, value) == expected
