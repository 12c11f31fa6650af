# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees from strangers: read within bounds, nothing outside of them, and nothing executed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gen.output import LIST, MARKER, OutputError, write
from tests.backport.trees import AUTHOR, backport, make_tree
from tests.checks.trees import SPEC, copy
from tests.hostile.command import check, invoke


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
    assert "opened" not in result.output + invoke("extract", tree).output


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
