# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of the diff: sides, formats, exit statuses, bad input, and git."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from gen.diff.catalogue import DOCUMENT, document
from tests.conftest import MEASURED, ROOT
from tests.diff.test_scenarios import BASE, SCENARIOS, edited
from tests.sarif import validated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AFTER = edited(BASE, SCENARIOS["bar"]["edits"])
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "PATH": os.environ["PATH"],
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    **MEASURED,
}


def run(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def pvgen(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(cwd, sys.executable, "-m", "gen.cli", *words)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit of the base spec, and another text on the disk."""
    spec = tmp_path / "spec" / "dev.yaml"
    spec.parent.mkdir()
    spec.write_text(BASE, encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to("spec/dev.yaml")
    who = ("-c", "user.name=n", "-c", "user.email=e@dev.example")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "one")):
        assert run(tmp_path, "git", *words).returncode == 0
    spec.write_text(AFTER, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [(), ("HEAD",), ("HEAD:spec/dev.yaml", "spec/dev.yaml"), ("HEAD@6.2", "@6.2")],
    ids=" ".join,
)
def test_sides(repository: Path, words: tuple[str, ...]) -> None:
    done = pvgen(repository, "diff", *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "break[HOST_BAR_CHANGED]" in done.stdout
    assert pvgen(repository, "diff", *words, "--gate", "break").returncode == 1


def test_a_range_has_both_sides(repository: Path) -> None:
    done = pvgen(repository, "diff", "HEAD..HEAD", "--gate", "doc")
    assert (done.returncode, done.stdout) == (0, "no change\n")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("nowhere",), 2, "there is no revision 'nowhere'"),
        (("HEAD:other.yaml", "HEAD"), 2, "revision 'HEAD' has no file other.yaml"),
        (("missing.yaml", "HEAD"), 2, "missing.yaml: no such file"),
        (("spec", "HEAD"), 3, "no C file here"),
        (("spec/dev.yaml",), 2, "name what to compare it with"),
        (("a", "b", "c"), 2, "a diff has two sides"),
        (("",), 2, "an empty word names no side"),
        (("--", "--output=x"), 2, "there is no revision '--output=x'"),
        (("nowhere...HEAD",), 2, "there is no revision 'nowhere'"),
        (("HEAD@99.1",), 2, "nothing is known of Linux 99.1; the newest is"),
        (("HEAD:spec", "HEAD"), 3, "HEAD:spec: no C file here"),
        (("HEAD", ":none.yaml"), 2, "what is staged has no file none.yaml"),
        (("HEAD", "/dev/zero"), 2, "/dev/zero: not a regular file"),
        (("HEAD:link.yaml", "HEAD"), 2, "HEAD:link.yaml is a symbolic link"),
        (("HEAD@1.0", "HEAD"), 2, "Linux 1.0 had none of the events"),
    ],
)  # fmt: skip
def test_wrong_sides(repository: Path, words: tuple[str, ...], status: int, message: str) -> None:
    done = pvgen(repository, "diff", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_three_dots_begin_where_the_branches_parted(repository: Path) -> None:
    run(repository, "git", "branch", "side")
    commit(repository)
    for words, told in (
        (("side...HEAD",), "HOST_BAR_CHANGED"),
        (("HEAD...side",), "no change"),
        (("HEAD..side",), "HOST_BAR_CHANGED"),
        (("HEAD@6.1...side@6.2",), "USER_ATTRS_SHOWN"),
    ):
        assert told in pvgen(repository, "diff", *words).stdout, words


def test_what_is_staged_is_a_side(repository: Path) -> None:
    run(repository, "git", "add", "spec")
    (repository / "spec/dev.yaml").write_text(BASE.replace("bar: 0", "bar: 2"), encoding="utf-8")
    for words, told in (
        (("HEAD", ":"), "0 became 1"), ((":",), "1 became 2"),
        ((":spec/dev.yaml", "HEAD"), "1 became 0"),
        (("HEAD", ":@6.1"), "0 became 1"),
    ):  # fmt: skip
        assert told in pvgen(repository, "diff", *words).stdout, words
    # What is annotated is the file, whatever the side is called.
    shown = pvgen(repository, "diff", "HEAD", ":", "--format", "github").stdout
    assert shown.startswith("::error file=spec/dev.yaml,line=61,col=10,")


def test_a_spec_that_was_elsewhere_is_found(repository: Path) -> None:
    run(repository, "git", "mv", "spec/dev.yaml", "spec/other.yaml")
    shown = pvgen(repository, "diff", "HEAD").stdout
    assert "0 became 1" in shown
    assert "HEAD:spec/dev.yaml:61:10: note: before" in shown


def test_of_several_specs_the_other_side_s_is_meant(repository: Path) -> None:
    (repository / "spec/wip.yaml").write_text("spec: [", encoding="utf-8")
    assert "0 became 1" in pvgen(repository, "diff").stdout
    run(repository, "git", "add", ".")
    commit(repository)
    assert "0 became 1" in pvgen(repository, "diff", "HEAD~1", "HEAD").stdout
    told = pvgen(repository, "diff", "HEAD", "HEAD")
    assert (told.returncode, "several specs (dev.yaml, wip.yaml)" in told.stderr) == (2, True)


def test_git_s_own_words_when_it_refuses(repository: Path) -> None:
    """As with a work tree of somebody else."""
    words = ("env", "GIT_TEST_ASSUME_DIFFERENT_OWNER=1", sys.executable, "-m", "gen.cli", "diff")
    done = run(repository, *words, "HEAD", "spec/dev.yaml")
    assert "dubious ownership" in done.stderr
    assert done.returncode in {2, 3}


def test_a_directory_below_has_a_spec_of_its_own(repository: Path) -> None:
    below = repository / "below" / "spec" / "dev.yaml"
    below.parent.mkdir(parents=True)
    below.write_text(AFTER, encoding="utf-8")
    run(repository, "git", "add", "below")
    commit(repository)
    below.write_text(BASE.replace("bar: 0", "bar: 3"), encoding="utf-8")
    assert "1 became 3" in pvgen(repository / "below", "diff", "HEAD").stdout


def test_bare_and_shallow_repositories(repository: Path) -> None:
    commit(repository)
    at = repository.parent / f"{repository.name}-clones"
    run(repository, "git", "clone", "-q", "--bare", ".", f"{at}/bare")
    assert "0 became 1" in pvgen(at / "bare", "diff", "HEAD~1", "HEAD").stdout
    run(repository, "git", "clone", "-q", "--depth=1", f"file://{repository}", f"{at}/shallow")
    done = pvgen(at / "shallow", "diff", "HEAD~1")
    assert done.returncode == 2
    assert "this clone is shallow" in done.stderr


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
    ],
    ids=["crlf", "bom"],
)
def test_how_a_text_is_stored_is_no_change(
    repository: Path, change: Callable[[str], bytes]
) -> None:
    (repository / "s p é.yaml").write_bytes(change(BASE))
    done = pvgen(repository, "diff", "HEAD", "s p é.yaml", "--gate", "doc")
    assert (done.returncode, done.stdout) == (0, "no change\n")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x00\xff\xfe", "error[YAML006]"),
        (BASE.replace("bar: 0", "bar: 9").encode(), "bad.yaml:61:10: error[FORM005]"),
        (b"spec: 1\n<<<<<<< HEAD\nspec: 2\n=======\n", "bad.yaml:2:1: error[YAML001]: a merge"),
        (b"spec: 1\r\n=======\r\n", "bad.yaml:2:1: error[YAML001]: a merge"),
        (b"spec: 1\r# no line\n", "a carriage return that ends no line, in line 1"),
        (b"", "error["),
    ],
    ids=["binary", "value", "conflict", "middle", "return", "empty"],
)
def test_bad_specs(repository: Path, data: bytes, message: str) -> None:
    (repository / "bad.yaml").write_bytes(data)
    for words in (("HEAD", "bad.yaml"), ("bad.yaml", "HEAD")):
        done = pvgen(repository, "diff", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
        assert message in done.stderr or "not UTF-8" in done.stderr


def test_outside_of_git(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BASE, encoding="utf-8")
    done = pvgen(tmp_path, "diff", "HEAD", "a.yaml")
    assert done.returncode == 3
    assert "no git work tree" in done.stderr


def test_formats(repository: Path) -> None:
    out = {form: pvgen(repository, "diff", "--format", form).stdout
           for form in ("json", "markdown", "sarif", "github")}  # fmt: skip
    schema = json.loads((ROOT / "gen/diff/report.schema.json").read_text(encoding="utf-8"))
    data = json.loads(out["json"])
    Draft202012Validator(schema).validate(data)
    assert [one["rule"] for one in data["findings"]] == ["HOST_BAR_CHANGED"]
    assert data["findings"][0]["old"]["value"] == "0"
    row = "| break | The registers are in another BAR: `frontend[dev-pci].bar` | `0` | `1` | HOST |"
    assert row in out["markdown"]
    assert validated(out["sarif"])["results"][0]["ruleId"] == "HOST_BAR_CHANGED"
    assert out["github"].startswith("::error file=spec/dev.yaml,line=61,col=10,")


def test_sarif_without_a_change_and_with_an_accepted_one(repository: Path) -> None:
    same = pvgen(repository, "diff", "spec/dev.yaml", "spec/dev.yaml", "--format", "sarif")
    assert validated(same.stdout)["results"] == []
    mark = json.loads(pvgen(repository, "diff", "--format", "json").stdout)["findings"][0]
    entry = f"  - {{fingerprint: {mark['fingerprint']!r}, rule: HOST_BAR_CHANGED, reason: fine}}\n"
    (repository / ".pvgen-diff.yaml").write_text(f"baseline: 1\nfindings:\n{entry}", "utf-8")
    (result,) = validated(pvgen(repository, "diff", "--format", "sarif").stdout)["results"]
    assert result["suppressions"] == [{"kind": "external", "justification": "fine"}]


def test_accepted_findings(repository: Path) -> None:
    mark = json.loads(pvgen(repository, "diff", "--format", "json").stdout)["findings"][0]
    path = repository / ".pvgen-diff.yaml"
    head = "baseline: 1\nfindings:\n"
    entry = f"  - {{fingerprint: {mark['fingerprint']!r}, rule: HOST_BAR_CHANGED, reason: fine}}\n"
    path.write_text(head + entry, encoding="utf-8")
    done = pvgen(repository, "diff", "--gate", "doc")
    told, count = done.stdout.splitlines()
    assert (done.returncode, count) == (0, "1 accepted finding")
    assert told.startswith("spec/dev.yaml:61:10: note: accepted HOST_BAR_CHANGED")
    assert told.endswith("; fine")
    for form in ("text", "markdown", "json", "sarif", "github"):
        told = pvgen(repository, "diff", "HEAD", "HEAD", "--format", form).stdout
        assert mark["fingerprint"] in told, form
        assert "HOST_BAR_CHANGED" in told, form
    for good, bad, message in (
        ("fine", '""', ".pvgen-diff.yaml:3:19: error[FORM002]: this accepts nothing"),
        ("HOST_BAR_CHANGED", "HOST_BAR", ".pvgen-diff.yaml:3:45: error[FORM004]: there is no rule"),
        ("rule:", "ruler:", ".pvgen-diff.yaml:3:6: error[FORM002]: an accepted finding has"),
        ("baseline: 1", "baseline: 2", ".pvgen-diff.yaml:1:1: error[YAML001]"),
    ):
        path.write_text((head + entry).replace(good, bad), encoding="utf-8")
        done = pvgen(repository, "diff")
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr


def test_a_baseline_is_written_with_a_reason(repository: Path) -> None:
    done = pvgen(repository, "diff", "--write-baseline")
    assert (done.returncode, done.stdout) == (2, "")
    words = ("diff", "--write-baseline", "--reason")
    assert pvgen(repository, *words, "seen: fine").returncode == 0
    assert pvgen(repository, "diff", "--gate", "doc").returncode == 0
    # Written again, it keeps the reasons that it has, and drops what is gone.
    assert pvgen(repository, *words, "other").returncode == 0
    path = repository / ".pvgen-diff.yaml"
    assert 'reason: "seen: fine"' in path.read_text(encoding="utf-8")
    assert pvgen(repository, "diff", "HEAD", "HEAD", *words[1:], "other").returncode == 0
    assert "findings: []" in path.read_text(encoding="utf-8")
    assert pvgen(repository, "diff", "--baseline", "none.yaml").returncode == 2


def on_a_terminal(cwd: Path, *words: str, pager: str = "cat") -> str:
    """What a command prints on a terminal, where git calls a pager."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, cwd=cwd, env=ENVIRONMENT | {"PAGER": pager}, stdout=theirs,
                          stdin=subprocess.DEVNULL) as process:  # fmt: skip
        os.close(theirs)
        parts = []
        # The end of a terminal is an error on Linux.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 1 << 16):
                parts.append(part)
    os.close(ours)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", b"".join(parts).decode())


def commit(repository: Path, *words: str) -> None:
    who = ("-c", "user.name=n", "-c", "user.email=e@dev.example")
    assert run(repository, "git", *who, "commit", "-qam", "more", *words).returncode == 0


def test_git_shows_the_meaning_above_the_text(repository: Path) -> None:
    config = repository / ".git" / "config"
    before = config.read_text(encoding="utf-8")
    texts = []
    for _ in range(2):
        assert pvgen(repository, "git-setup").returncode == 0
        attributes = (repository / ".git/info/attributes").read_text(encoding="utf-8")
        texts.append((config.read_text(encoding="utf-8"), attributes))
    assert texts[0] == texts[1]
    shown = run(repository, "git", "diff").stdout
    assert shown.index("break[HOST_BAR_CHANGED]") < shown.index("+    bar: 1")
    commit(repository)
    for shown in (
        run(repository, "git", "show", "--ext-diff").stdout,
        run(repository, "git", "log", "-p", "-1", "--ext-diff").stdout,
        on_a_terminal(repository, "git", "show"),
    ):
        assert shown.index("break[HOST_BAR_CHANGED]") < shown.index("+    bar: 1")
    # What a program reads is a patch and nothing else.
    assert "HOST_BAR" not in run(repository, "git", "show").stdout
    for _ in range(2):
        assert pvgen(repository, "git-setup", "--undo").returncode == 0
    assert config.read_text(encoding="utf-8") == before
    assert not (repository / ".git/info/attributes").exists()
    assert "HOST_BAR" not in run(repository, "git", "show", "--ext-diff").stdout
    assert "HOST_BAR" not in on_a_terminal(repository, "git", "show")


def renamed(repository: Path) -> None:
    run(repository, "git", "mv", "spec/dev.yaml", "spec/d é v.yaml")
    run(repository, "git", "add", ".")


def executable(repository: Path) -> None:
    (repository / "spec/dev.yaml").chmod(0o755)


def added(repository: Path) -> None:
    (repository / "spec/new.yaml").write_text(BASE, encoding="utf-8")
    run(repository, "git", "add", ".")


def removed(repository: Path) -> None:
    (repository / "spec/dev.yaml").unlink()


def linked(repository: Path) -> None:
    removed(repository)
    (repository / "spec/dev.yaml").symlink_to("../other.yaml")


def open_ended(repository: Path) -> None:
    (repository / "spec/dev.yaml").write_text(AFTER.rstrip(), encoding="utf-8")


def broken(repository: Path) -> None:
    (repository / "spec/dev.yaml").write_text("--- a\n+++ b\n@@ -1 +1 @@\n", encoding="utf-8")


def only_renamed(repository: Path) -> None:
    run(repository, "git", "checkout", "-q", "spec/dev.yaml")
    run(repository, "git", "mv", "spec/dev.yaml", 'spec/"d.yaml')


@pytest.mark.parametrize("words", [("diff", "HEAD", "-M"), ("diff", "HEAD", "--no-renames")])
@pytest.mark.parametrize(
    "change",
    [lambda _: None, renamed, executable, added, removed, linked, open_ended, broken, only_renamed],
)
def test_what_git_diff_writes_can_be_applied(
    change: Callable[[Path], None], words: tuple[str, ...], repository: Path
) -> None:
    """It is git's own patch, below lines that no patch has."""
    change(repository)
    plain = run(repository, "git", *words).stdout
    pvgen(repository, "git-setup")
    told = run(repository, "git", *words).stdout
    assert [line for line in told.splitlines() if not line.startswith("# ")] == plain.splitlines()
    at = repository.parent / f"{repository.name}-clone"
    run(repository, "git", "clone", "-q", ".", str(at))
    (at / "a.patch").write_text(told, encoding="utf-8")
    done = run(at, "git", "apply", "--index", "a.patch")
    assert (done.returncode, done.stderr) == (0, "")
    tree = run(at, "git", "write-tree").stdout
    run(repository, "git", "add", ".")
    assert tree == run(repository, "git", "write-tree").stdout


def test_git_goes_on_when_the_tool_is_gone(repository: Path) -> None:
    pvgen(repository, "git-setup")
    config = repository / ".git/config"
    config.write_text(config.read_text(encoding="utf-8").replace(sys.executable, "/gone"), "utf-8")
    done = run(repository, "git", "diff")
    assert (done.returncode, "+    bar: 1" in done.stdout) == (0, True)
    commit(repository)
    assert "+    bar: 1" in on_a_terminal(repository, "git", "show")


def test_git_show_explains_a_renamed_spec_and_leaves_other_files(repository: Path) -> None:
    pvgen(repository, "git-setup")
    run(repository, "git", "mv", "spec/dev.yaml", "spec/d é v.yaml")
    commit(repository)
    shown = on_a_terminal(repository, "git", "show")
    assert "# spec/d é v.yaml:61:10: break[HOST_BAR_CHANGED]" in shown
    other = repository / "other.yaml"
    other.write_text(BASE, encoding="utf-8")
    run(repository, "git", "add", "other.yaml")
    commit(repository)
    other.write_text(AFTER, encoding="utf-8")
    commit(repository)
    shown = on_a_terminal(repository, "git", "show")
    assert "+    bar: 1" in shown
    assert "HOST_BAR" not in shown


def test_a_pager_of_the_repository_is_left(repository: Path) -> None:
    run(repository, "git", "config", "pager.show", "less")
    done = pvgen(repository, "git-setup")
    assert "leave pager.show" in done.stderr
    pvgen(repository, "git-setup", "--undo")
    assert run(repository, "git", "config", "pager.show").stdout == "less\n"


def test_the_pager_is_the_user_s_and_none_of_the_repository(repository: Path) -> None:
    pvgen(repository, "git-setup")
    commit(repository)
    run(repository, "git", "config", "core.pager", "touch ran; cat")
    shown = on_a_terminal(repository, "git", "show", pager="sed s/BAR/RAB/")
    assert "HOST_RAB_CHANGED" in shown
    assert not (repository / "ran").exists()


def test_from_a_directory_below(repository: Path) -> None:
    below = repository / "docs"
    below.mkdir()
    (repository / ".git/info/exclude").write_text("docs\n", encoding="utf-8")
    spec = ("--spec", "../spec/dev.yaml")
    for words in ((), ("HEAD",), ("HEAD", *spec), ("HEAD:spec/dev.yaml", "../spec/dev.yaml")):
        done = pvgen(below, "diff", *words)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("../spec/dev.yaml:61:10: break[HOST_BAR_CHANGED]"), words
    assert "no change" in pvgen(below, "diff", "HEAD", ":", *spec).stdout


def test_the_installation_s_spec_does_not_stand_in_for_one_that_is_gone(repository: Path) -> None:
    run(repository, "git", "clone", "-q", "--bare", ".", "bare")
    (repository / "spec/dev.yaml").unlink()
    for place in (repository, repository / "bare"):
        done = pvgen(place, "diff", "HEAD")
        assert (done.returncode, done.stdout) == (2, "")
        assert "there is no spec/dev.yaml on the disk" in done.stderr


def test_what_git_cannot_list_is_said(repository: Path) -> None:
    (repository / ".git/index").write_bytes(b"junk" * 9)
    done = pvgen(repository, "diff", "HEAD", ":")
    assert (done.returncode, done.stdout) == (3, "")
    assert "git cannot list the specs: " in done.stderr
    assert "index" in done.stderr


def test_hunks_of_the_rendered_files(repository: Path) -> None:
    done = pvgen(repository, "diff", "--rendered")
    assert done.returncode == 0
    assert "--- a/dev-pci.c" in done.stdout
    schema = json.loads((ROOT / "gen/diff/report.schema.json").read_text(encoding="utf-8"))
    data = json.loads(pvgen(repository, "diff", "--rendered", "--format", "json").stdout)
    Draft202012Validator(schema).validate(data)
    assert data["kernel"] == "6.1"
    assert data["findings"][0]["rendered"]["together"] == []
    assert pvgen(repository, "diff", "--kernel", "6.1").returncode == 2


def test_a_diff_needs_little_of_the_program(repository: Path) -> None:
    """It takes a fifth of a second, which loading what it does not need would double."""
    code = (
        "import sys\nfrom gen.cli import main\n"
        "try:\n    main(['diff'], standalone_mode=False)\nexcept SystemExit:\n    pass\n"
        "heavy = {'jinja2', 'pycparser', 'tree_sitter', 'gen.plan', 'gen.kernel', 'gen.render'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    assert run(repository, sys.executable, "-c", code).stdout.endswith("\n[]\n")


def test_the_document_of_the_rules_is_fresh() -> None:
    assert (ROOT / DOCUMENT).read_text(encoding="utf-8") == document(), "run make docs"
