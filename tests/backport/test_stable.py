# SPDX-License-Identifier: GPL-2.0-or-later
"""Series that are meant for a stable tree: mainline's commits, and the rules."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from gen.backport.upstream import changed_lines, hunk_lines
from tests.backport.trees import AUTHOR, SPEC, backport, git, make_tree, repository

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PCI = "drivers/misc/vmbell/vmbell-pci.c"
CORE = "drivers/misc/vmbell/vmbell.c"
TABLE = "\t{ PCI_VDEVICE(REDHAT_QUMRANET, PCI_DEVICE_ID_VMBELL) },\n"
MACRO = "#define PCI_DEVICE_ID_VMBELL\t0x10f7\n"
ALSO = """\
    also:
      - vendor: {id: 0x1af4, macro: PCI_VENDOR_ID_REDHAT_QUMRANET}
        device: {id: 0x10f8, macro: PCI_DEVICE_ID_VMBELL_2}
        since: "6.2"
        stable: ["5.15.9"]
    bar: 2
"""
TAGS = """\
Reviewed-by: R <r@example.org>
Signed-off-by: Ä Main <main@example.org>
Signed-off-by: Kept <kept@example.org>
"""


def _mainline(room: Path, tree: Path, edits: dict[str, list[tuple[str, str]]]) -> Path:
    """What git format-patch makes of a commit with these edits, under the name COMMIT."""
    main = room / "main"
    subprocess.run(["cp", "-r", tree, main], check=True)
    repository(main)
    for path, pairs in edits.items():
        text = (main / path).read_text()
        for old, new in pairs:
            assert text.count(old) == 1
            text = text.replace(old, new)
        (main / path).write_text(text)
    git(main, "commit", "-q", "-a", "-F", "-", text=f"misc: know the twin\n\nIt rings.\n\n{TAGS}")
    mail = room / "mainline.patch"
    made = git(main, "format-patch", "-1", "--stdout")
    mail.write_text(f"From {COMMIT}{made[45:]}")
    return mail


def _twin(*, context: str = "", value: str = "0x10f8") -> dict[str, list[tuple[str, str]]]:
    new = TABLE.replace("_VMBELL)", "_VMBELL_2)")
    macro = f"{MACRO}#define PCI_DEVICE_ID_VMBELL_2\t{value}\n"
    return {PCI: [(MACRO, context + macro), (TABLE, TABLE + new)]}


def _changed(room: Path, old: str, new: str) -> Path:
    text = SPEC.read_text()
    assert text.count(old) == 1
    place = room / "changed.yaml"
    place.write_text(text.replace(old, new))
    return place


def _stable(room: Path, *words: object, change: tuple[str, str] = ("    bar: 2\n", ALSO)) -> str:
    spec = _changed(room, *change)
    result = backport("--spec", spec, "--was", SPEC, "--tree", room / "tree", "--author", AUTHOR,
                      "--signoff", "--stable", "--out", room / "mails", *words)  # fmt: skip
    return f"status {result.exit_code}\n{result.output}"


def _mails(room: Path) -> list[str]:
    """The letter, then the mails."""
    return [path.read_text() for path in sorted((room / "mails").iterdir())]


def test_a_device_id_from_mainline_is_material_for_a_stable_tree(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    mail = _mainline(tmp_path, tree, _twin())
    told = _stable(tmp_path, "--upstream", mail)
    assert "status 0\n" in told, told
    assert "this is material for 6.1.y" in told
    letter, patch = _mails(tmp_path)
    assert "Subject: [PATCH 6.1.y 0/1] misc/vmbell: add the PCI id 1af4:10f8\n" in letter
    assert f"know the twin  {COMMIT[:12]}  identical  " in letter
    assert "mail 1: 6.6.y yes, 6.12.y yes, 6.18.y yes, 7.2.y yes, 7.3.y yes" in letter
    assert "Subject: [PATCH 6.1.y 1/1] misc: know the twin\n" in patch
    body = patch.partition("\n\n")[2].partition("\n---\n")[0]
    assert body == (f"From: Ä Main <main@example.org>\n\ncommit {COMMIT} upstream.\n\nIt rings.\n\n"
                    f"{TAGS}Signed-off-by: {AUTHOR}")  # fmt: skip
    repository(tree)
    git(tree, "am", "-q", *sorted((tmp_path / "mails").glob("*.patch")))
    assert git(tree, "log", "-1", "--format=%an <%ae>") == "Ä Main <main@example.org>\n"
    assert MACRO + "#define PCI_DEVICE_ID_VMBELL_2\t0x10f8\n" in (tree / PCI).read_text()


def test_mainline_with_another_context_is_said_to_differ_there(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    mail = _mainline(tmp_path, tree, _twin())
    text = (tree / PCI).read_text()
    (tree / PCI).write_text(text.replace("VMBELL_BAR\t\t2\n", "VMBELL_BAR\t\t(2)\n"))
    told = _stable(tmp_path, "--upstream", mail)
    assert "status 0\n" in told, told
    letter, patch = _mails(tmp_path)
    assert f"{COMMIT[:12]}  context  " in letter
    assert f"{TAGS}[ A U Thor: the context differs ]\nSigned-off-by: {AUTHOR}\n---\n" in patch


def test_code_that_is_not_mainline_s_does_not_stand_under_its_author(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    mail = _mainline(tmp_path, tree, _twin(value="0x10f9"))
    told = _stable(tmp_path, "--upstream", mail)
    assert "status 1\n" in told, told
    assert "author and tags kept: no, the code is the backporter's own" in told
    letter, patch = _mails(tmp_path)
    assert f"{COMMIT[:12]}  rewritten  " in letter
    assert f"From: {AUTHOR}\n" in patch
    assert f'Based on mainline commit {COMMIT[:12]} ("misc: know the twin").\n' in patch
    assert "Main" not in patch.replace("mainline", "")
    assert "upstream." not in patch
    assert "+#define PCI_DEVICE_ID_VMBELL_2\t0x10f8\n" in patch


def test_only_the_includes_of_mainline_s_patch_are_placed_anew(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    first = next(line for line in (tree / CORE).read_text().splitlines(keepends=True)
                 if line.startswith("#include <linux/"))  # fmt: skip
    edits = _twin()
    edits[CORE] = [(first, f"{first}#include <linux/zlib.h>\n")]
    mail = _mainline(tmp_path, tree, edits)
    text = (tree / CORE).read_text()
    (tree / CORE).write_text(text.replace(first, f"{first}#include <linux/kernel.h>\n"))
    told = _stable(tmp_path, "--upstream", mail)
    assert "status 0\n" in told, told
    letter, patch = _mails(tmp_path)
    assert f"{COMMIT[:12]}  adapted  " in letter
    assert "+#include <linux/zlib.h>\n" in patch
    assert f"commit {COMMIT} upstream." in patch
    assert "[ A U Thor: adapted to 6.1.7: the includes are placed anew ]\n" in patch


def test_a_note_between_the_tags_is_kept(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    mail = _mainline(tmp_path, tree, _twin())
    noted = TAGS.replace("Signed-off-by: Kept", "[ kept: reworded ]\nSigned-off-by: Kept")
    mail.write_text(mail.read_text().replace(TAGS, noted))
    assert "status 0\n" in _stable(tmp_path, "--upstream", mail)
    assert f"\n\n{noted}Signed-off-by: {AUTHOR}" in _mails(tmp_path)[1]


def test_what_does_not_keep_the_rules_is_a_distribution_s_series(tmp_path: Path) -> None:
    make_tree(tmp_path / "tree")
    told = _stable(tmp_path, change=("priority: 12", "priority: 7"))
    assert "status 1\n" in told, told
    assert (
        "Not suitable for 6.1.y because these rules are not met: in mainline (not known) (every "
        "mail); author and tags kept (not known) (every mail); a fix or a device id (every mail)"
    ) in told
    assert "mail 1, in mainline: ?, no commit of mainline is known for it" in told
    assert "mail 1, author and tags kept: ?, mainline's patch was not given" in told
    assert "a fix or a device id: no, nothing says that it fixes something (panic-notifier" in told
    assert "in every newer tree: ?" in told
    letter, patch = _mails(tmp_path)
    assert "Subject: [PATCH 0/1] " in letter
    assert "Subject: [PATCH 1/1] misc/vmbell: change the priority" in patch


def test_a_fix_says_so_and_a_short_hash_is_not_made_up(tmp_path: Path) -> None:
    make_tree(tmp_path / "tree")
    new = 'priority: 7, upstream: "0123456789ab"'
    told = _stable(tmp_path, change=("priority: 12", new))
    assert "in mainline: ?, only the digits 0123456789ab of the commit are known" in told
    assert "upstream." not in _mails(tmp_path)[1]
    subprocess.run(["rm", "-r", tmp_path / "mails"], check=True)
    mail = _mainline(tmp_path, tmp_path / "tree", {CORE: [("3 * 4", "7")]})
    mail.write_text(mail.read_text().replace("Reviewed-by: R <r@example.org>",
                                             'Fixes: 123456789abc ("x")'))  # fmt: skip
    told = _stable(tmp_path, "--upstream", mail, change=("priority: 12", new))
    assert 'a fix or a device id: yes, mainline says: Fixes: 123456789abc ("x")' in told
    assert f"in mainline: yes, commit {COMMIT}" in told
    assert "status 1\n" in told


def test_a_commit_of_the_tree_is_taken(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    _mainline(tmp_path, tree, _twin())
    subprocess.run(["cp", "-r", tmp_path / "main/.git", tree], check=True)
    commit = git(tree, "rev-parse", "HEAD").strip()
    git(tree, "reset", "-q", "--hard", "HEAD~")
    told = _stable(tmp_path, "--upstream", commit)
    assert "status 0\n" in told, told
    assert f"commit {commit} upstream." in _mails(tmp_path)[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "nothing.patch: no such file"),
        ("Hello\n", "not a mail with a patch"),
        ("other", "belongs to no mail of this series"),
    ],
)
def test_a_bad_commit_of_mainline_is_told(tmp_path: Path, text: str | None, words: str) -> None:
    tree, mail = make_tree(tmp_path / "tree"), tmp_path / "nothing.patch"
    if text == "other":
        mail = _mainline(tmp_path, tree, {CORE: [("3 * 4", "7")]})
    elif text is not None:
        mail.write_text(text)
    told = _stable(tmp_path, "--upstream", mail)
    assert "status 2\n" in told
    assert words in told
    assert not (tmp_path / "mails").exists()


def test_a_whole_driver_is_never_for_a_stable_tree(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    result = backport("--tree", tree, "--replace", "--stable", "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert (result.exit_code, "--replace makes none" in result.output) == (2, True)


def test_only_what_stands_in_hunks_counts() -> None:
    diff = ("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@ head\n a\n--- old\n+++ new\n\n"
            "--\n2.1\n")  # fmt: skip
    assert hunk_lines(diff) == [" a", "--- old", "+++ new", " "]
    assert changed_lines(diff) == ["--- old", "+++ new"]
