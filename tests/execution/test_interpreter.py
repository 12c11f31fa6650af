# SPDX-License-Identifier: GPL-2.0-or-later
"""C means in the interpreter what it means to a compiler, or is said not to be understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.execution.core import Core
from checks.execution.faults import DefectError, UnknownError
from checks.execution.opaque import Opaque
from checks.execution.texts import as_text, parse
from checks.extract import extract
from checks.parse import parse_tree
from checks.rule import Context
from checks.tree import find_trees
from gen.generate import read_device
from gen.kernel_load import load_kernels
from gen.resources import kernel_directory
from tests.execution.drivers import SPEC

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
struct inner { u8 a; u16 b; };
struct outer { int first; struct inner in[2]; struct list_head node; u8 bits; };
static int fact(int n) { return n < 2 ? 1 : n * fact(n - 1); }
static int count(void) { static int calls = 3; return calls++; }
static u8 narrow(u8 v) { return v; }
static struct outer object = { .first = 3, .in[1].b = 7 };
enum { FIVE = 5, SIX };
"""


def run(tmp_path: Path, body: str) -> Any:
    """The result of a function with this body."""
    file = tmp_path / "driver.c"
    file.write_text(f"{HEAD}\nlong test(void)\n{{\n{body}\n}}\n", encoding="utf-8")
    device = read_device(SPEC)
    kernel = load_kernels(kernel_directory()).default
    tree = find_trees([file], device)[0]
    units = parse_tree(tree, kernel)
    program = Core(Context(device, extract(tree, units, kernel)), units).program
    function = program.function(program.units[0], "test")
    assert function is not None
    return function()


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("return 7 / 2 * 2 + 7 % 4;", 9),
        ("return -7 / 2;", -3),
        ("return -7 % 2;", -1),
        ("return (u8)300;", 44),
        ("return (s8)200;", -56),
        ("return narrow(0x1ff);", 0xFF),
        ("unsigned int x = 0; x--; return x == 4294967295U;", 1),
        ("unsigned int x = 1; return -1 < x;", 0),
        ("int x = 1; return -1 < x;", 1),
        ("return ~0U;", 0xFFFFFFFF),
        ("return ~0;", -1),
        ("u8 x = 0xf0; return ~x & 0xff;", 0x0F),
        ("return 1UL << 40;", 1 << 40),
        ("bool b = 8; return b;", 1),
        ("u16 x = 0xffff; x += 2; return x;", 1),
        ("return fact(5);", 120),
        ("return count() + count() + count();", 3 + 4 + 5),
        ("return FIVE + SIX;", 11),
        ("return object.first + object.in[1].b + object.in[0].a;", 10),
        ("struct outer o = object; o.first = 9; return object.first * 10 + o.first;", 39),
        ("int i, s = 0; for (i = 0; i < 5; i++) { if (i == 3) continue; s += i; } return s;", 7),
        ("int i = 0; while (1) { if (++i == 4) break; } return i;", 4),
        ("int i = 0; do i++; while (i < 3); return i;", 3),
        ("int r = 0; switch (2) { case 1: r = 1; case 2: r += 2; case 3: r += 4; } return r;", 6),
        ("int r = 0; switch (9) { case 1: r = 1; break; default: r = 8; } return r;", 8),
        ("int r = 1; goto out; r = 2; out: return r;", 1),
        ("int n = 0; again: if (n < 3) { n++; goto again; } return n;", 3),
        ("int a[3] = { 1, 2, 3 }, *p = a; p++; return *p + a[2] + (p - a);", 6),
        ("struct outer *o = container_of(&object.in[1], struct outer, in[1]); return 1;", None),
        ("struct inner *p = &object.in[1]; return p->b;", 7),
        ("struct list_head *n = &object.node; return list_entry(n, struct outer, node)->first;", 3),
        ("int (*f)(int) = fact; return f(4) + (*f)(3);", 30),
        ("int x = 3, *p = &x; *p = 4; return x;", 4),
        ("return sizeof(struct inner) + sizeof(int);", 8),
        ("int x = (1, 2); return x ? 5 : 6;", 5),
        ('return "ab"[1];', ord("b")),
        ("return (0 && 1 / 0) || 1;", 1),
    ],
)  # fmt: skip
def test_c_is_computed_as_c(tmp_path: Path, body: str, result: int | None) -> None:
    if result is None:
        with pytest.raises(UnknownError):
            run(tmp_path, body)
    else:
        assert run(tmp_path, body) == result


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("int x; return x;", "nothing has been put into"),
        ("int *p = NULL; return *p;", "NULL"),
        ("struct outer *o = ERR_PTR(-12); return o->first;", "error number"),
        ("struct outer *o = kmalloc(sizeof(*o), GFP_KERNEL); return o->first;", "nothing has been"),
        ("struct outer *o = kzalloc(sizeof(*o), GFP_KERNEL); kfree(o); return o->first;", "freed"),
        ("int a[2] = { 0 }; return a[2];", "outside"),
        ("return 1 / (object.first - 3);", "zero"),
        ("return 1 << 40;", "shifts"),
        ("list_del(&object.node); return 0;", "not initialised"),
    ],
)
def test_what_a_compiler_lets_pass_is_seen(tmp_path: Path, body: str, what: str) -> None:
    with pytest.raises(DefectError, match=what):
        run(tmp_path, body)


@pytest.mark.parametrize(
    "body",
    ["union { int a; } u; return u.a;", 'return sscanf("1", "%[^x]", &object.first);'],
)
def test_what_is_not_understood_is_said(tmp_path: Path, body: str) -> None:
    with pytest.raises(UnknownError):
        run(tmp_path, body)


@pytest.mark.parametrize(
    "body",
    [
        "return asm_goto_magic(1);",
        "return unheard_of;",
        "int x = unheard_of & 7; x += 2; return x << 1;",
        "int x; ask(&x); return x;",
        "int x; SET(x); return -x;",
        "u8 x[4]; fill(x, 4); return x[3] ^ 1;",
        "struct device *d = find(); return d->id;",
        "struct device *d = find(); d->id = 3; return d->id;",
        "return find()->ops->call(3);",
        "return unheard_of ?: 3;",
    ],
)
def test_a_value_of_which_nothing_is_known_is_handed_on(tmp_path: Path, body: str) -> None:
    value = run(tmp_path, body)
    if body.endswith("?: 3;"):
        assert value == 3
    else:
        assert isinstance(value, Opaque)
        with pytest.raises(UnknownError, match=r"nor in the kernel's facts|not modelled"):
            assert value


@pytest.mark.parametrize(
    ("body", "result"),
    [
        # A number is zero, a pointer valid, as long as nothing else is asked for.
        ("if (ask()) return 1; return 2;", 2),
        ("int r = ask(); if (r < 0) return 1; return 2;", 2),
        ("int r = ask(); return r > 0;", 0),
        ("void *p = find(); if (!p) return 1; return 2;", 2),
        ("void *p = find(); if (IS_ERR(p)) return 1; return 2;", 2),
        ("void *p = find(); return IS_ERR_OR_NULL(p);", 0),
        ("switch (ask()) { case 0: return 1; default: return 2; }", 1),
        ("int n = 0; while (!ask()) n++; return n;", 2),
        ("return ask() && 1 / 0;", 0),
        ("return ask() == 7;", 0),
        ("return !ask();", 1),
    ],
)
def test_a_driver_gets_an_answer(tmp_path: Path, body: str, result: int) -> None:
    assert run(tmp_path, body) == result


@pytest.mark.parametrize(
    ("text", "base", "bits", "signed", "result"),
    [
        ("7\n", 16, 32, False, 7),
        ("0x1F", 16, 32, False, 31),
        ("+5", 10, 32, False, 5),
        ("010", 0, 32, False, 8),
        ("0x10", 0, 32, False, 16),
        ("-1", 10, 32, True, -1),
        ("-1", 10, 32, False, ""),
        ("", 10, 32, False, ""),
        ("1\n\n", 10, 32, False, ""),
        (" 1", 10, 32, False, ""),
        ("0x", 16, 32, False, ""),
        ("8", 8, 32, False, ""),
        ("100000000", 16, 32, False, None),
        ("256", 10, 8, False, None),
        ("128", 10, 8, True, None),
        ("-128", 10, 8, True, -128),
        ("-129", 10, 8, True, None),
        ("-0", 10, 32, True, 0),
        ("-0", 10, 32, False, ""),
        ("+0\n", 16, 32, True, 0),
        ("-+5", 10, 32, True, ""),
        ("+-5", 10, 32, True, ""),
        ("5 ", 10, 32, True, ""),
        ("\n", 10, 32, True, ""),
        ("-", 10, 32, True, ""),
        ("0x", 0, 32, False, ""),
        ("-9223372036854775808", 10, 64, True, -(1 << 63)),
        ("-9223372036854775809", 10, 64, True, None),
        ("18446744073709551615", 10, 64, False, (1 << 64) - 1),
        # What is too long for any number is so whatever follows; a type's end is seen later.
        ("18446744073709551616 ", 10, 32, False, None),
        ("4294967296 ", 10, 32, False, ""),
    ],
)
def test_numbers_are_read_as_the_kernel_reads_them(
    text: str, base: int, bits: int, signed: bool, result: int | str | None
) -> None:
    assert parse(text, base, bits, signed) == result


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ('simple_strtol("-5", NULL, 10)', -5),
        ('simple_strtol("-0x1fz", NULL, 0)', -31),
        ('simple_strtol("7 ", NULL, 10)', 7),
        ('simple_strtol("--1", NULL, 10)', 0),
        ('(long)simple_strtoul("-5", NULL, 10)', 0),
    ],
)
def test_a_minus_counts_where_the_result_has_a_sign(tmp_path: Path, call: str, result: int) -> None:
    assert run(tmp_path, f"return {call};") == result


def test_text_is_made_as_the_kernel_makes_it() -> None:
    def string(value: object) -> str:
        return str(value)

    assert as_text("%x\n", [255], string) == "ff\n"
    assert as_text("0x%08X|%u|%d|%s|%%", [255, 1 << 31, (1 << 32) - 1, "me"], string) == (
        "0x000000FF|2147483648|-1|me|%"
    )
    assert as_text("%#lx %#x", [255, 0], string) == "0xff 0"
    assert as_text("%pe", [0], string) is None
