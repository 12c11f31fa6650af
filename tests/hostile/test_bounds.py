# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees from strangers: whatever is in their files, time and memory are bounded, and it is told."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from gen.cli import main
from tests.checks.trees import SPEC, copy
from tests.conftest import ROOT
from tests.hostile.command import check, invoke

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOOK = "struct notifier_block *p = &panic_notifier_list;\n"
N = 10_000
# None takes 1.5 s of a processor at rest; one that others share counts waiting for memory, too.
SECONDS, MEGABYTES = 3, 512


def doubling(head: str, step: str, tail: str, count: int = 64) -> str:
    """Macros each of which has the one before twice."""
    lines = "".join(step.format(n=n, m=n - 1) for n in range(1, count))
    return f"{head}{lines}{tail}"


SOURCES = {
    "parentheses": f"int x = {'(' * N}1{')' * N};\n",
    "braces": f"void f(void) {'{' * N}{'}' * N}\n",
    "ifs": f"void f(int a) {{ {'if (a) ' * N};}}\n",
    "elses": f"void f(int a) {{ {'if (a) a=1; else ' * N};}}\n",
    "sum": f"int x = {'1+' * N}1;\n",
    "members": f"void f(struct x *a) {{ a{'->a' * N} = 1; }}\n",
    "calls": f"void f(int a) {{ a{'()' * N}; }}\n",
    "pointers": f"int {'*' * N}p;\n",
    "switches": f"void f(int a) {{ {'switch (a) case 1: ' * N};}}\n",
    "conditions": "#if 1\n" * N + "#endif\n" * N,
    "shift": "#if 1 << 9999999999\n#endif\nint x = 1 << 9999999999, y[1 << 62];\n",
    "doubling": doubling("#define A0 x\n", "#define A{n} A{m} A{m}\n", "int y = A63;\n"),
    "calls of calls": doubling("#define F0(x) x\n", "#define F{n}(x) F{m}(F{m}(x))\n",
                               "int y = F39(1);\n", 40),
    "pasting": doubling("#define P(a) a##a\n#define F0(x) P(x)\n",
                        "#define F{n}(x) F{m}(x) F{m}(x)\n", "int F39(a);\n", 40),
    "condition of macros": doubling("#define A0 1\n", "#define A{n} A{m}+A{m}\n",
                                    "#if A39\n#endif\n", 40),
    "numbers": "enum { A = 1 << 60, B = A * A, C = B * B, D = C * C, E = D * D, F = E / 3 };\n",
    "digits": f"int x = {'9' * 100_000};\n#if {'9' * 5000}\n#endif\n",
    "escapes": f'char *s = "{chr(92)}x{chr(92)}xg{chr(92)}777";\n',
    "character": f"int x = '{'a' * 100_000}';\n",
    "one line": "x" * 200_000,
    "declarations": "int x;\n" * 30_000,
    "defines": "#define A 1\n" * 20_000,
    "quotes": '"' * 200_000,
    "remarks": "/* pvgen: allow KERN104 because x */\n" * 7_000,
    "100 MB": "",
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("command", ["check", "extract"])
def test_sources_without_bounds(name: str, command: str, tmp_path: Path) -> None:
    """Bounded time and memory, no traceback, and never the answer that all is well."""
    path = tmp_path / "vmbell.c"
    path.write_text(HOOK + SOURCES[name], encoding="utf-8")
    if name == "100 MB":
        with path.open("ab") as file:
            file.truncate(100 << 20)
    words = ["--spec", str(SPEC)] if command == "check" else []
    done = _limited([command, *words, str(tmp_path)])
    assert done.returncode in {0, 1, 3}, done.stderr
    assert "Traceback" not in done.stderr
    if command == "check":
        assert done.returncode != 0


def nested(head: str, step: str, count: int) -> str:
    """Declarations each of which names the one before."""
    return head + "".join(step.format(n=n, m=n - 1) for n in range(1, count))


def balanced(leaf: str, levels: int) -> str:
    """A sum that is no deeper than it has to be."""
    return leaf if levels == 0 else f"({balanced(leaf, levels - 1)}+{balanced(leaf, levels - 1)})"


# What a driver that is whole may have besides.
APPENDED = {
    "structures": nested("struct s0 { int a; };\n", "struct s{n} {{ struct s{m} a, b; }};\n", 50),
    "huge structures": nested("struct s0 { int a; };\n",
                              "struct s{n} {{ struct s{m} a, b; }};\n", 90),
    "a structure in itself": "struct s { struct s a, b; };\nstatic struct s x;\n",
    **{init: f"static int r = {init};\nint f(void) {{ return r; }}\n" for init in (
        "1/0", "1%0", "1<<100", "*(int *)0", "((int (*)(void))0)()", "r++", "g(1, 2)", "0 = 1")},
    "choices": f"int f(int a) {{ return {'+'.join(['(a?1:2)'] * 30)}; }}\n",
    "a tree of choices": f"int f(int a) {{ return {balanced('(a?1:a)', 10)}; }}\n",
    "choices everywhere": "".join(f"int f{n}(int a) {{ return {'+'.join(['(a?1:2)'] * 7)}; }}\n"
                                  for n in range(200)),
    "sums of themselves": f"int f(int a) {{ {'a = a + a; ' * 40}return a; }}\n",
    "arguments of arguments": nested("void f0(long a) { mutex_lock(a + a); }\n",
                                     "void f{n}(long a) {{ f{m}(a + a); }}\n", 40),
    "ways of calls": "int f(int a) { if (a) { mutex_lock(&x); return 1; } return 0; }\n"
                     f"void g(int a) {{ {'+'.join(['f(a)'] * 30)}; }}\n",
    "calls": f"void f(int a) {{ {'g(a); ' * 2_900}}}\n",
    "variables": f"void f(void) {{ {''.join(f'int a{n};' for n in range(1_000))}"
                 f"a1 = {balanced('1', 13)}; }}\n",
}  # fmt: skip


# What it may do first in its probe, before which the second text stands.
ROUNDS = "for (int i = 0; i < 15000; i++) "
FORMAT = f'"{"%4096d" * 500}", {", ".join("1" * 500)}'
ZEROS = '"%" ' + f'"{"0" * 8000}" ' * 9
DONE = {
    "sums": (f"int a = 0; {ROUNDS}a = {balanced('a', 11)};", ""),
    "sums in a step": (f"int a = 0; for (int i = 0; i < 15000; i++, a = {balanced('a', 11)});", ""),
    "formats": (f"char b[10]; {ROUNDS}snprintf(b, 10, {FORMAT});", ""),
    "a format": (f"static char b[1UL << 40]; sprintf(b, {FORMAT});", ""),
    "a format of zeros": (f"char b[10]; snprintf(b, 10, {ZEROS});", ""),
    "texts": (f"""static char b[1UL << 40]; strcpy(b, "{'a' * 32}");
                  for (int i = 0; i < 17; i++) strcat(b, b);""", ""),
    "stars": (f"int *p = 0; {'*' * 60}p;", ""),
    "assignments": (f"static int a[9]; int i = 0; {'a[' * 28}i{'] += 1' * 28};", ""),
    "steps": (f"static int a[9]; int i = 0; {'a[' * 28}i{']++' * 28};", ""),
    "sizes": (f"long i = {'sizeof(((struct q *)' * 24}0{')->none)' * 24};", "struct q { int a; };"),
    "nothing": (f"{ROUNDS}{{ {'{}' * 9000} }}", ""),
    "variables": (f"{ROUNDS}{'f() + ' * 20}0;", f"int f(void) {{ {'int a; ' * 4000}return 0; }}"),
    "cases": (f"{ROUNDS}switch (i) {{ {''.join(f'case {n}: ;' for n in range(4000))} }}", ""),
    "buffers": (f'{ROUNDS}{{ char b[9000] = "{"a" * 8000}"; }}', ""),
    "strangers": (f"""int a; {"".join(f"if (g({n})) a = {n};" for n in range(8))}
                      {ROUNDS}a = i;""", "int g(int a);"),
    "what strangers spoil": (f"char b[8]; {ROUNDS}g(b);", "void g(char *a);"),
}  # fmt: skip


def added(tree: Path, name: str) -> None:
    """Put one of these into a driver."""
    with (tree / "vmbell.c").open("a", encoding="utf-8") as file:
        file.write(APPENDED[name])


def done_first(tree: Path, name: str) -> None:
    """Have a driver do one of those."""
    body, before = DONE[name]
    path = tree / "vmbell-pci.c"
    head, probe, rest = path.read_text().partition("static int vmbell_pci_probe(")
    declared, blank, code = rest.partition("\n\n")
    hostile = f"{before}\nstatic void hostile(void)\n{{\n{body}\n}}\n\n"
    path.write_text(f"{head}{hostile}{probe}{declared}{blank}\thostile();\n{code}")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A driver in which nothing is wrong, so that it is run."""
    out = tmp_path_factory.mktemp("rendered") / "out"
    done = CliRunner().invoke(main, ["gen", "--spec", str(SPEC), "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


@pytest.mark.parametrize(("change", "name"), [*((added, name) for name in APPENDED),
                                              *((done_first, name) for name in DONE)])  # fmt: skip
@pytest.mark.parametrize("command", ["check", "extract"])
def test_drivers_with_more_in_them(
    change: Callable[[Path, str], None], name: str, command: str, tmp_path: Path, rendered: Path
) -> None:
    """Bounded time and memory, and no traceback, where all of the tool has something to look at."""
    tree = copy(tmp_path, rendered)
    change(tree, name)
    words = ["--spec", str(SPEC)] if command == "check" else []
    done = _limited([command, *words, str(tree)])
    assert done.returncode in {0, 1, 3}, done.stderr
    assert "Traceback" not in done.stderr


def _limited(words: list[str]) -> subprocess.CompletedProcess[str]:
    """The command in a process whose time and memory end with the limits."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES << 20, MEGABYTES << 20))

    return subprocess.run(
        [sys.executable, "-m", "gen.cli", *words], cwd=ROOT, preexec_fn=limit,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


MANY = 200_000
NODE = "".join(f',"a,b{n}"' for n in range(8_000)) + ";\n" + "      reg = <0 1>;\n" * 6_000
DEEP = f"config X\n\tbool\n\tdepends on PCI{' && A' * 600}\n"
# What is added to a file of a driver, and what is said of it, if anything has to be.
FILES: dict[str, tuple[str, str, str]] = {
    "lines of C": ("vmbell.c", "\n" * MANY, "too much text"),
    "lines of a header": ("vmbell.h", "\n" * MANY, "too much text"),
    "lines of a Makefile": ("Makefile", "\n" * MANY, ""),
    "lines of Kconfig": ("Kconfig", "\n" * MANY, ""),
    "open comments": ("vmbell.c", "/*\n" * 28_000, ""),
    "comments in an open one": ("vmbell.c", "/* " * 14_000, "too much text"),
    "characters": ("vmbell.c", "'" + "\\'" * 14_000 + "\n", "too much text"),
    "open strings of few tokens": ("vmbell.c", 'x "' + '\\"' * 14_000 + "\n", "too much text"),
    "open strings": ("vmbell.c", '"' + '\\"' * 100_000 + "\n", "too much text"),
    "blanks of a condition": ("vmbell.c", f"#if defined{' ' * MANY}x\n#endif\n", ""),
    "blanks behind it": ("vmbell.c", f"#if defined CONFIG_X{' ' * MANY}x\n#endif\n", ""),
    "blanks of a remark": ("vmbell.c", f"/* pvgen: allow{' ' * MANY}x */\n", "it gives no reason"),
    "blanks of a document": ("Documentation/ABI/testing/sysfs-devices-vmbell",
                             f"What{' ' * MANY}x\n", ""),
    "regions": ("Documentation/devicetree/bindings/misc/acme,vmbell.yaml",
                f'\nexamples:\n  - |\n    bell {{\n      compatible = "a,b"{NODE}    }};\n', ""),
    "blanks of a dependency": ("Kconfig", f"config X\n\tdepends on A{' ' * MANY}&& B\n",
                               "a line of more than 8192 characters"),
    "entries": ("Kconfig", "".join(f" config A{n}\n\tbool\n" for n in range(9_000)),
                "more than 1000 entries"),
    "ifs of Kconfig": ("Kconfig", f"{'if A' + chr(10)}" * 900 + "config X\n" + "endif\n" * 900,
                       "nested too deeply"),
    "terms": ("Kconfig", DEEP, "nested too deeply"),
    "fewer terms": ("Kconfig", DEEP.replace(" && A" * 130, "", 1), "nested too deeply"),
    "pairs of terms": ("Kconfig", f"config X\n\tbool\n\tdepends on {'(A&&B)||' * 90}A\n",
                       "a condition of more than 250 parts"),
    "words": ("Makefile", f"obj-y += {'a ' * 110_000}\n", "a line of more than 8192 characters"),
    "parts": ("Makefile", f"obj-m += {'q.o ' * 2_000}\n" + "q-y += x.o\n" * 9_000, "KERN133"),
    "functions": ("Makefile", f"CONFIG_X := $(if {'$(and ' * 300}$(CONFIG_Y){')' * 300},m)\n",
                  "nested too deeply"),
    "options": ("Makefile", "CONFIG_VMBELL_PCI := $(if $(CONFIG_X),m)\n" * 5_000,
                "more than 100 options"),
    "no option": ("Makefile", "CONFIG_VMBELL_PCI := $(if $(CONFIG_if),m)\n", ""),
    "macros": ("uapi/misc/vmbell.h",
               "".join(f"#define VMBELL_E{n} {n}\n" for n in range(9_000)), ""),
    "enums": ("uapi/misc/vmbell.h", "enum " * 40_000, "too much text"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("command", ["check", "extract"])
def test_files_without_bounds(name: str, command: str, tmp_path: Path) -> None:
    """The same of what is added to a driver that is well."""
    tree = copy(tmp_path)
    path, text, told = FILES[name]
    with (tree / path).open("a", encoding="utf-8") as file:
        file.write(text)
    done = _limited([command, *(["--spec", str(SPEC)] if command == "check" else []), str(tree)])
    assert done.returncode in {0, 1, 3}, done.stderr
    assert "Traceback" not in done.stderr
    if command == "check":
        assert told in done.stdout
        assert done.returncode or not told


def test_the_end_of_a_licence_is_found_at_once(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    source = tree / "vmbell.c"
    source.write_text(f"// SPDX-License-Identifier: GPL-2.0{' ' * MANY}x\n{source.read_text()}")
    assert _limited(["check", "--spec", str(SPEC), str(tree)]).returncode == 1


def test_includes_that_bring_in_one_another(tmp_path: Path) -> None:
    """Each header includes the next one twice: 2^40 files, none of which has a token."""
    tree = copy(tmp_path)
    for n in range(40):
        (tree / f"vmbell-h{n}.h").write_text(f'#include "vmbell-h{n + 1}.h"\n' * 2)
    source = tree / "vmbell.c"
    source.write_text('#include "vmbell-h0.h"\n' + source.read_text())
    assert "too much text" in check(tree).stdout


@pytest.mark.parametrize("name", ["vmbell-q{}.h", "vmbell_q{}.h"])
def test_files_beyond_the_limit_are_told(name: str, tmp_path: Path) -> None:
    """Headers before and behind the sources push what is to be judged out of what is read."""
    tree = copy(tmp_path)
    for n in range(61):
        (tree / name.format(n)).write_text("/* SPDX-License-Identifier: GPL-2.0 */\n")
    result = check(tree)
    assert "of which 64 are read" in result.stdout
    assert "the tree has no" not in result.stdout
    assert result.exit_code != 0
    for source in ("vmbell.c", "vmbell.h"):
        text = "".join(f'#include "{name.format(n)}"\n' for n in range(61))
        (tree / source).write_text(f"{text}{(tree / source).read_text()}")
    told = invoke("extract", tree).stdout
    assert "of which 64 are read" in told


def test_a_diff_of_trees_with_more_in_them(rendered: Path, tmp_path: Path) -> None:
    """The differ parts the text by itself, before anything has found it too long."""
    old, new = copy(tmp_path / "old", rendered), copy(tmp_path / "new", rendered)
    with (new / "vmbell.c").open("a", encoding="utf-8") as file:
        file.write(f"int x = {'(' * 20_000}1{')' * 20_000};\n")
    done = _limited(["diff", str(old), str(new)])
    assert (done.returncode in {0, 1, 3}, "Traceback" in done.stderr) == (True, False), done.stderr


def test_includes_that_bring_in_much(rendered: Path, tmp_path: Path) -> None:
    """One header again and again, which has no token, either."""
    tree = copy(tmp_path, rendered)
    (tree / "vmbell-h.h").write_text(f"/*{' ' * 250_000}*/\n")
    source = tree / "vmbell.c"
    source.write_text('#include "vmbell-h.h"\n' * 499 + source.read_text())
    done = _limited(["check", "--spec", str(SPEC), str(tree)])
    assert (done.returncode, "too much text" in done.stdout) == (1, True), done.stderr
