# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees from strangers: read within bounds, nothing outside of them, and nothing executed."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gen.cli import main
from gen.output import LIST, MARKER, OutputError, write
from tests.checks.trees import DRIVER, SPEC, copy
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
ADDED = {
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
    "regions": ("Documentation/devicetree/bindings/misc/acme,vmbell.yaml",
                f'\nexamples:\n  - |\n    bell {{\n      compatible = "a,b"{NODE}    }};\n', ""),
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


def check(tree: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, ["check", "--spec", str(SPEC), *words, str(tree)])
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


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
    result = CliRunner().invoke(main, ["extract", str(tree)])
    assert isinstance(result.exception, SystemExit | None), result.exception


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


def git(directory: Path, *words: str) -> None:
    subprocess.run(["git", "-C", directory, "-c", "user.name=n", "-c", "user.email=n@example.org",
                    *words], check=True, capture_output=True)  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, Path]:
    """A repository whose configuration names a command wherever it can, and what that leaves."""
    root = tmp_path / "repository"
    shutil.copytree(DRIVER, root / "driver")
    shutil.copy(SPEC, root / "vmbell.yaml")
    commit(root)
    mark = set_trap(root, tmp_path)
    # git asks the filter of a file that may have changed.
    os.utime(root / "driver/vmbell.c", (1, 1))
    return root, mark


def commit(root: Path) -> None:
    """Make a directory a repository whose attributes name a filter."""
    (root / ".gitattributes").write_text("* filter=evil diff=evil\n*.c export-subst\n")
    git(root.parent, "init", "-q", str(root))
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")


def set_trap(root: Path, tmp_path: Path) -> Path:
    """Have a repository's configuration name commands; what they leave."""
    mark = tmp_path / "executed"
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    hook.chmod(0o755)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process",
                "diff.evil.textconv", "diff.evil.command", "diff.external", "core.pager",
                "gpg.program", "core.sshCommand", "core.editor", "filter.a=b.clean"):  # fmt: skip
        git(root, "config", key, str(hook))
    for key, value in (("filter.evil.required", "true"), ("log.showSignature", "true"),
                       ("core.hooksPath", str(tmp_path)), ("remote.o.promisor", "true"),
                       ("remote.o.url", f"ext::touch {mark}"), ("protocol.allow", "always"),
                       ("protocol.ext.allow", "always")):  # fmt: skip
        git(root, "config", key, value)
    return mark


def test_the_repository_is_a_trap(repository: tuple[Path, Path]) -> None:
    root, mark = repository
    subprocess.run(["git", "-C", root, "status"], capture_output=True, check=False)
    assert mark.exists()


def test_git_executes_nothing_of_a_repository(
    repository: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, mark = repository
    result = check(root / "driver", "--since", "HEAD")
    assert result.exit_code == 0, result.output
    monkeypatch.chdir(root)
    for words in (["diff", "HEAD:vmbell.yaml", "vmbell.yaml"],
                  ["backport", "--spec", "vmbell.yaml", "--kernel", "6.1", "--tree", ".",
                   "--author", "N <n@example.org>", "--out", "mails"]):  # fmt: skip
        assert isinstance(CliRunner().invoke(main, words).exception, SystemExit | None)
    assert not mark.exists()


def test_a_dirty_tree_is_seen_without_its_filters(repository: tuple[Path, Path]) -> None:
    from gen.git import changed  # noqa: PLC0415 (beside what it is compared with)

    root, mark = repository
    assert changed(root) is None
    (root / "driver/vmbell.c").write_text("int x;\n")
    assert changed(root) == "driver/vmbell.c"
    assert not mark.exists()


def test_what_a_partial_clone_lacks_is_not_fetched(repository: tuple[Path, Path]) -> None:
    root, mark = repository
    blob = subprocess.run(["git", "-C", root, "rev-parse", "HEAD:driver/vmbell.c"],
                          capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    (root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    git(root, "config", "extensions.partialClone", "o")
    assert check(root / "driver", "--since", "HEAD").exit_code == 3
    assert not mark.exists()


@pytest.mark.parametrize("lacking", [False, True])
def test_a_commit_of_a_kernel_tree_is_read_without_its_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: bool
) -> None:
    from tests.backport.trees import AUTHOR, backport, make_tree  # noqa: PLC0415 (used here alone)

    root = make_tree(tmp_path / "tree")
    core = root / "drivers/misc/vmbell/vmbell.c"
    text = core.read_text()
    commit(root)
    for new in ("3 * 5", "3 * 4"):
        core.write_text(text.replace("3 * 4", new))
        git(root, "commit", "-qam", new)
    mark = set_trap(root, tmp_path)
    blob = subprocess.run(["git", "-C", root, "rev-parse", f"HEAD~:{core.relative_to(root)}"],
                          capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    if lacking:
        (root / ".git/objects" / blob[:2] / blob[2:]).unlink()
        git(root, "config", "extensions.partialClone", "o")
    monkeypatch.chdir(root)
    result = backport("--tree", root, "--was", SPEC, "--author", AUTHOR, "--signoff", "--stable",
                      "--upstream", "HEAD", "--out", tmp_path / "mails")  # fmt: skip
    # Read, it belongs to none of the changes; there are none.
    told = "neither a file nor a commit" if lacking else "keeps this contract already"
    assert (result.exit_code, told in result.output) == (2, True), result.output
    assert not mark.exists()


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
