# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees from strangers: read within bounds, nothing outside of them, and nothing executed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gen.cli import main
from gen.output import LIST, MARKER, OutputError, write
from tests.backport.trees import AUTHOR, backport, make_tree
from tests.checks.trees import SPEC, copy
from tests.conftest import ROOT

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


@pytest.mark.parametrize("name", APPENDED)
@pytest.mark.parametrize("command", ["check", "extract"])
def test_drivers_with_more_in_them(name: str, command: str, tmp_path: Path) -> None:
    """Bounded time and memory, and no traceback, where all of the tool has something to look at."""
    tree = copy(tmp_path)
    with (tree / "vmbell.c").open("a", encoding="utf-8") as file:
        file.write(APPENDED[name])
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
DEEP = f"config X\n\tbool\n\tdepends on PCI{' && A' * 600}\n"
# What is added to a file of a driver, and what is said of it, if anything has to be.
ADDED: dict[str, tuple[str, str, str]] = {
    "lines of C": ("vmbell.c", "\n" * MANY, "too much text"),
    "lines of a header": ("vmbell.h", "\n" * MANY, "too much text"),
    "lines of a Makefile": ("Makefile", "\n" * MANY, ""),
    "lines of Kconfig": ("Kconfig", "\n" * MANY, ""),
    "open comments": ("vmbell.c", "/*\n" * 28_000, ""),
    "open strings": ("vmbell.c", '"' + '\\"' * 100_000 + "\n", "too much text"),
    "blanks of a condition": ("vmbell.c", f"#if defined{' ' * MANY}x\n#endif\n", ""),
    "blanks behind it": ("vmbell.c", f"#if defined CONFIG_X{' ' * MANY}x\n#endif\n", ""),
    "blanks of a remark": ("vmbell.c", f"/* pvgen: allow{' ' * MANY}x */\n", "it gives no reason"),
    "blanks of a document": ("Documentation/ABI/testing/sysfs-devices-vmbell",
                             f"What{' ' * MANY}x\n", ""),
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


@pytest.mark.parametrize("name", ADDED)
@pytest.mark.parametrize("command", ["check", "extract"])
def test_files_without_bounds(name: str, command: str, tmp_path: Path) -> None:
    """The same of what is added to a driver that is well."""
    tree = copy(tmp_path)
    path, text, told = ADDED[name]
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


@pytest.mark.parametrize("line", ['option env="SESAME"', 'bool "$SESAME"', 'bool "a ${SESAME}"'])
def test_kconfig_reads_no_environment(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESAME", "opened")
    tree = copy(tmp_path)
    with (tree / "Kconfig").open("a") as file:
        file.write(f"\nconfig VMBELL_X\n\tstring\n\t{line}\n\tdepends on VMBELL\n")
    result = check(tree)
    assert "not evaluated" in result.stdout
    assert result.exit_code == 3
    assert "opened" not in result.output + CliRunner().invoke(main, ["extract", str(tree)]).output


def invoke(*words: object) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


def check(tree: Path, *words: str) -> Result:
    return invoke("check", "--spec", SPEC, *words, tree)


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
    told = CliRunner().invoke(main, ["extract", str(tree)]).stdout
    assert "of which 64 are read" in told


@pytest.mark.parametrize("line", [
    "X := $(shell,touch {0})\n", "config X\n\tdefault $(shell,touch {0})\n",
    'config X\n\tbool "$(shell,touch {0})"\n', "$(shell,touch {0})\n",
    'menu "$(shell,touch {0})"\nendmenu\n', "$(error-if,y,$(shell,touch {0}))\n",
    'sour\\\nce "$(shell,touch {0})"\n', 'orsource "$(shell,touch {0})"\n',
    'config X\n\tbool "x"\n\tdepends on $(shell,touch {0})\n', "$(HOME) = y\n",
])  # fmt: skip
def test_kconfig_executes_nothing(line: str, tmp_path: Path) -> None:
    tree, mark = copy(tmp_path), tmp_path / "executed"
    with (tree / "Kconfig").open("a") as file:
        file.write("\n" + line.format(mark))
    result = check(tree)
    assert not mark.exists()
    assert result.exit_code in {0, 1, 3}
    assert str(Path.home()) not in result.stdout


def test_a_makefile_executes_nothing(tmp_path: Path) -> None:
    tree, mark = copy(tmp_path), tmp_path / "executed"
    with (tree / "Makefile").open("a") as file:
        file.write(f"X := $(shell touch {mark})\nobj-y += $(shell touch {mark})\n")
    assert "in a Makefile" in check(tree).stdout
    assert not mark.exists()


def test_links_out_of_the_tree_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('int sesame;\nconfig SESAME\n\tbool "sesame"\n')
    for name in ("vmbell.c", "vmbell.h", "Kconfig", "Makefile"):
        tree = copy(tmp_path / name)
        (tree / name).unlink()
        (tree / name).symlink_to(secret)
        result = check(tree)
        assert "a link that leads out of the given tree" in result.stdout
        assert "sesame" not in result.output
        assert result.exit_code in {1, 3}


def test_a_searched_directory_is_no_link(tmp_path: Path) -> None:
    """Those of a kernel tree that are searched are known by name; one may lead elsewhere."""
    tree, outside = make_tree(tmp_path / "tree"), tmp_path / "outside"
    assert invoke("extract", tree).exit_code == 0
    (tree / "drivers/misc").rename(outside)
    (tree / "drivers/misc").symlink_to(outside)
    result = invoke("extract", tree)
    assert result.exit_code == 3
    assert "no C file here" in result.stderr


def test_what_stands_above_a_driver_is_read_through_no_link(tmp_path: Path) -> None:
    trees = [make_tree(tmp_path / name) for name in ("old", "new")]
    outside = tmp_path / "outside"
    above = trees[1] / "drivers/misc/Kconfig"
    above.rename(outside)
    outside.write_text(f"{outside.read_text()}\nvmbell/ SESAME\n")
    above.symlink_to(outside)
    assert "SESAME" not in invoke("diff", "--spec", SPEC, *trees).output


def test_a_backport_reads_nothing_outside(tmp_path: Path) -> None:
    tree, outside, spec = make_tree(tmp_path / "tree"), tmp_path / "outside", tmp_path / "spec.yaml"
    spec.write_text(SPEC.read_text().replace("priority: 12", "priority: 13"))
    words = ("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR, "--out")
    assert backport(*words, tmp_path / "mails").exit_code == 0
    core = tree / "drivers/misc/vmbell/vmbell.c"
    core.rename(outside)
    core.symlink_to(outside)
    result = backport(*words, tmp_path / "none")
    assert result.exit_code == 3
    assert "vmbell.c: a link that leads out of the given tree" in result.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("more", [(), ("--write-baseline", "--reason", "x")])
@pytest.mark.parametrize("command", ["check", "diff"])
def test_a_baseline_that_nobody_named_is_no_link(
    command: str,
    more: tuple[str, ...],
    there: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would show the first line of any file, and make one anywhere."""
    tree, outside = copy(tmp_path), tmp_path / "outside"
    if there:
        outside.write_text("SESAME\n")
    monkeypatch.chdir(tree)
    (tree / (".pvgen-baseline.yaml" if command == "check" else ".pvgen-diff.yaml")).symlink_to(
        outside
    )
    sides = ("--spec", SPEC, tree) if command == "check" else (SPEC, SPEC)
    result = invoke(command, *sides, *more)
    assert result.exit_code == 2
    assert "a symbolic link is not followed" in result.stderr
    assert outside.exists() == there
    assert not there or outside.read_text() == "SESAME\n"


def test_a_link_within_the_tree_is_followed(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    (tree / "vmbell-pci.c").rename(tree / "other.txt")
    (tree / "vmbell-pci.c").symlink_to("other.txt")
    assert "cannot be read" not in check(tree).stdout


@pytest.mark.parametrize("header", ["/etc/passwd", "../../secret.h", "/proc/self/environ"])
def test_includes_reach_no_file_outside(header: str, tmp_path: Path) -> None:
    (tmp_path / "secret.h").write_text("#error sesame\n")
    tree = copy(tmp_path)
    source = tree / "vmbell.c"
    source.write_text(f'#include "{header}"\n' + source.read_text())
    result = check(tree)
    assert f"'{header}' is not in the given tree" in result.stdout
    assert "sesame" not in result.output
    assert "root:" not in result.output


@pytest.mark.parametrize("name", ["Kconfig", "Makefile", ".pvgen-files", ".pvgen-baseline.yaml",
                                  "uapi/misc/vmbell.h"])  # fmt: skip
@pytest.mark.parametrize("kind", ["fifo", "zero", "loop", "directory", "binary"])
def test_side_files_of_any_kind(name: str, kind: str, tmp_path: Path) -> None:
    path = copy(tmp_path) / name
    path.unlink(missing_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.write_bytes(b"\0\xff\xfe" * 99)
    tree = tmp_path / "driver"
    assert check(tree).exit_code in {0, 1, 2, 3}
    assert invoke("extract", tree).exit_code in {0, 3}


def test_names_of_files_are_shown_and_nothing_else(tmp_path: Path) -> None:
    """Undecodable, with escapes for a terminal, and like a command of GitHub's."""
    tree = copy(tmp_path)
    for name in (b"vmbell-\xff.c", b"vmbell-\x1b[31m.c", b"vmbell-\n::error::x.c"):
        Path(os.fsdecode(os.fsencode(tree) + b"/" + name)).write_text("int x = ;\n")
    for form in ("text", "json", "sarif", "github"):
        result = check(tree, "--format", form)
        assert result.exit_code in {1, 3}
        assert "\x1b" not in result.stdout
        assert "\n::error::x" not in result.stdout
        result.stdout.encode()


def test_lines_are_no_commands_of_a_workflow(tmp_path: Path) -> None:
    tree = copy(tmp_path)
    (tree / "vmbell.c").write_text("  ::error::owned;\n##[error]owned\n\x9b31m\u202e;\n")
    for form in ("text", "json", "sarif", "github"):
        out = check(tree, "--format", form).stdout
        assert not any(line.lstrip().startswith("::error::owned") for line in out.splitlines())
        assert form in {"json", "sarif"} or "##[error]" not in out
        assert "\u202e" not in out
        assert "\x9b" not in out


def test_a_list_of_files_removes_nothing_through_a_link(tmp_path: Path) -> None:
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    (outside / "theirs").write_text(f"# {MARKER}\n")
    write(out, {LIST: f"# {MARKER}\na\n", "a": f"# {MARKER}\n"})
    (out / "sub").symlink_to(outside)
    (out / LIST).write_text(f"# {MARKER}\na\nsub/theirs\n")
    with pytest.raises(OutputError, match="symbolic link"):
        write(out, {LIST: f"# {MARKER}\na\n", "a": f"# {MARKER}\n# 2\n"})
    assert (outside / "theirs").exists()


@pytest.mark.parametrize(("why", "refused"), [
    ("From: Evil <evil@example.org>", False), ("Subject: owned", False), ("Plain words.", False),
    ("From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001", True),
    ("-- >8 --", False), ("Date: Thu, 1 Jan 1970 00:00:00 +0000", False),
    ("---", True), ("diff --git a/Makefile b/Makefile", True), ("Index: Makefile", True),
])  # fmt: skip
def test_a_message_cannot_change_a_mail(why: str, refused: bool, tmp_path: Path) -> None:
    """What the spec says stands in the message that git am makes of a mail, or there is no mail."""
    from tests.backport import trees  # noqa: PLC0415 (used here alone)

    tree, mails = trees.make_tree(tmp_path / "tree"), tmp_path / "mails"
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC.read_text().replace("{priority: 12}", f'{{priority: 13, why: "{why}"}}'))
    result = trees.backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author",
                            trees.AUTHOR, "--out", mails)  # fmt: skip
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert (result.exit_code != 0) == (not mails.exists()) == refused, result.output
    if refused:
        return
    applied = trees.git_am(tree, sorted(mails.iterdir()), tmp_path / "applied")
    told = trees.git(applied, "log", "-1", "--format=%an <%ae>%n%B")
    author, subject, *rest = told.split("\n")
    assert (author, subject[:13]) == (trees.AUTHOR, "misc/vmbell: ")
    assert why in " ".join(rest)
    changed = trees.git(applied, "show", "--format=", "--name-only", "HEAD")
    assert changed.split() == ["drivers/misc/vmbell/vmbell.c"]
