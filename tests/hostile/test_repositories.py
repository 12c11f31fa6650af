# SPDX-License-Identifier: GPL-2.0-or-later
"""git repositories from strangers: nothing of theirs is executed, and nothing written elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from click.testing import CliRunner

from gen import objects
from gen.cli import main
from gen.diff.pager import explained
from gen.git import GitError, changed
from tests.backport.trees import AUTHOR, backport, git, make_tree
from tests.checks.trees import DRIVER, SPEC
from tests.hostile.command import check, invoke


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A repository with a driver and its spec."""
    root = tmp_path / "repository"
    shutil.copytree(DRIVER, root / "driver")
    shutil.copy(SPEC, root / "vmbell.yaml")
    commit(root)
    return root


@pytest.fixture
def repository(plain: Path, tmp_path: Path) -> tuple[Path, Path]:
    """One whose configuration names a command wherever it can, and what that leaves."""
    mark = set_trap(plain, tmp_path)
    # git asks the filter of a file that may have changed.
    os.utime(plain / "driver/vmbell.c", (1, 1))
    return plain, mark


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
    root, mark = repository
    assert changed(root) is None
    (root / "driver/vmbell.c").write_text("int x;\n")
    assert changed(root) == "driver/vmbell.c"
    assert not mark.exists()


def test_what_a_partial_clone_lacks_is_not_fetched(repository: tuple[Path, Path]) -> None:
    root, mark = repository
    blob = git(root, "rev-parse", "HEAD:driver/vmbell.c").strip()
    (root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    git(root, "config", "extensions.partialClone", "o")
    assert check(root / "driver", "--since", "HEAD").exit_code == 3
    assert not mark.exists()


@pytest.mark.parametrize("lacking", [False, True])
def test_a_commit_of_a_kernel_tree_is_read_without_its_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: bool
) -> None:
    root = make_tree(tmp_path / "tree")
    core = root / "drivers/misc/vmbell/vmbell.c"
    text = core.read_text()
    commit(root)
    for new in ("3 * 5", "3 * 4"):
        core.write_text(text.replace("3 * 4", new))
        git(root, "commit", "-qam", new)
    mark = set_trap(root, tmp_path)
    blob = git(root, "rev-parse", f"HEAD~:{core.relative_to(root)}").strip()
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


@pytest.mark.parametrize("name", ["evil", "", "a=b", "a.b"])
def test_no_filter_is_run_whatever_its_name(name: str, tmp_path: Path) -> None:
    root, mark, hook = tmp_path / "root", tmp_path / "executed", tmp_path / "hook"
    shutil.copytree(DRIVER, root)
    commit(root)
    (root / ".git/info/attributes").write_text(f"* filter={name}\n")
    hook.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    hook.chmod(0o755)
    git(root, "config", f"filter.{name}.clean", str(hook))
    for file in root.glob("*.c"):
        os.utime(file, (1, 1))
    assert changed(root) is None
    assert not mark.exists()
    subprocess.run(["git", "-C", root, "status"], capture_output=True, check=False)
    assert mark.exists()


def tree_of(root: Path, *entries: tuple[str, str]) -> str:
    """A tree object that git itself would not make: modes and names, each of the same text."""
    run = ["git", "-C", str(root), "hash-object", "-w", "--literally"]
    blob = subprocess.run([*run, "--stdin"], input=b"int owned;\n", capture_output=True, check=True)
    identity = bytes.fromhex(blob.stdout.decode().strip())
    data = b"".join(f"{mode} {name}".encode() + b"\0" + identity for mode, name in entries)
    made = subprocess.run(
        [*run, "-t", "tree", "--stdin"], input=data, capture_output=True, check=True
    )
    return made.stdout.decode().strip()


@pytest.mark.parametrize("mode", ["100644", "120000"])
@pytest.mark.parametrize(
    "name", ["{victim}/Makefile", "{victim}/new.c", "../../../victim/new.h", "a/../../x.c"]
)
def test_a_tree_that_leads_out_of_itself(
    name: str,
    mode: str,
    tmp_path: Path,
    plain: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "Makefile").write_text("mine\n")
    tree = tree_of(plain, (mode, name.format(victim=victim)))
    monkeypatch.chdir(plain)
    told = invoke("diff", f"{tree}:", "driver")
    assert told.exit_code == 3
    assert "no place in a tree" in told.stderr
    assert [file.read_text() for file in victim.iterdir()] == ["mine\n"]


@pytest.mark.parametrize("entries", [
    (("100644", "a.c"), ("100644", "a.c/b.c")), (("120000", "a.c"), ("100644", "a.c/b.c")),
    (("100644", "a" * 300 + ".c"),),
])  # fmt: skip
def test_a_tree_that_cannot_be_on_a_disk(
    entries: tuple[tuple[str, str], ...],
    plain: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = tree_of(plain, *entries)
    monkeypatch.chdir(plain)
    told = invoke("diff", f"{tree}:", "driver")
    assert told.exit_code == 3
    assert "cannot be written out" in told.stderr


def test_an_object_of_a_side_is_missing(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = git(plain, "rev-parse", "HEAD:driver/vmbell.c").strip()
    (plain / ".git/objects" / blob[:2] / blob[2:]).unlink()
    monkeypatch.chdir(plain)
    told = invoke("diff", "HEAD:driver", "driver")
    assert told.exit_code == 3
    assert "missing" in told.stderr


def test_a_large_object_is_not_read(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = (plain / "driver" / name for name in ("large.h", "small.h"))
    large.write_text("x" * 100)
    small.write_text("y" * 10)
    git(plain, "add", ".")
    blobs = {
        PurePosixPath(file.name): git(plain, "rev-parse", f":driver/{file.name}").strip()
        for file in (large, small)
    }
    objects.write_out(blobs, tmp_path / "out", 50, directory=plain)
    assert (tmp_path / "out/large.h").read_bytes() == bytes(100)
    assert (tmp_path / "out/small.h").read_text() == "y" * 10
    monkeypatch.setattr(objects, "_WHOLE", 9)
    with pytest.raises(GitError, match="name the driver's directory"):
        objects.write_out(blobs, tmp_path / "none", 50, directory=plain)
    assert not (tmp_path / "none").exists()


def test_a_spec_of_a_revision_is_too_large(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = plain / "vmbell.yaml"
    before = spec.read_text()
    spec.write_text(before + "#" * (1 << 20))
    git(plain, "commit", "-qam", "large")
    spec.write_text(before)
    monkeypatch.chdir(plain)
    told = invoke("diff", "HEAD:vmbell.yaml", "vmbell.yaml")
    assert told.exit_code == 2
    assert "HEAD:vmbell.yaml is larger than 1048576 bytes" in told.stderr


@pytest.mark.parametrize("kind", ["bytes", "link", "loop", "large"])
@pytest.mark.parametrize("words", [(), ("--undo",)])
def test_attributes_of_any_kind(
    kind: str,
    words: tuple[str, ...],
    plain: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are told before the configuration is changed, and nobody's file is written."""
    path, victim = plain / ".git/info/attributes", tmp_path / "victim"
    victim.write_text("mine\n")
    path.unlink(missing_ok=True)
    if kind == "bytes":
        path.write_bytes(b"\xff\xfe\n")
    elif kind == "large":
        path.touch()
        os.truncate(path, 1 << 31)
    else:
        path.symlink_to(victim if kind == "link" else path)
    before = (plain / ".git/config").read_text()
    monkeypatch.chdir(plain)
    told = invoke("git-setup", *words)
    assert told.exit_code == 2
    assert "attributes: " in told.stderr
    assert (plain / ".git/config").read_text() == before
    assert victim.read_text() == "mine\n"


@pytest.mark.parametrize("names", [
    r'"a/\xzz" "b/\xzz"', r'"a/\u0100" "b/\u0100"', r'"a/\" "b/\"', r'"a/\777" "b/\777"', '"', "",
    "a/\xff b/\xff",
])  # fmt: skip
def test_odd_names_in_a_patch_are_passed_on(names: str) -> None:
    lines = [f"diff --git {names}\n".encode("latin-1"), b"index 1234567..89abcde 100644\n",
             rb'rename to "\u0100\q"' + b"\n", b"+one\n"]  # fmt: skip
    assert list(explained(lines)) == lines
