# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of the contract as edits of a hand-written driver's own text."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.backport.cases import CASES, REAL, Case
from tests.backport.trees import AUTHOR, SPEC, backport, checkpatch, git_am, make_tree, repository
from tests.kbuild.kernels import kbuild, source_tree

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = ("--as-of", "6.1")


def _changed(room: Path, spec: Path, old: str, new: str) -> Path:
    text = spec.read_text()
    assert not old or text.count(old) == 1
    place = room / "changed.yaml"
    place.write_text(text.replace(old, new) if old else text)
    return place


def _lines(mail: Path) -> set[str]:
    """The lines that a mail removes and adds."""
    text = (
        mail.read_text().partition("\ndiff --git")[2].rpartition("\n-- \n")[0] or mail.read_text()
    )
    return {line for line in text.splitlines()
            if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}}  # fmt: skip


def edit(
    tree: Path, spec: Path, mails: Path, *words: object, was: Path | None = None
) -> list[Path]:
    """The mails of a backport that has to succeed."""
    more = ("--was", was) if was else ()
    result = backport("--spec", spec, "--tree", tree, "--author", AUTHOR, "--signoff",
                      "--out", mails, *more, *words)  # fmt: skip
    assert result.exit_code == 0, result.output
    return sorted(mails.iterdir())


@pytest.mark.kbuild
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.series} {case.name}")
def test_real_drivers_are_edited_mail_by_mail(tmp_path: Path, case: Case) -> None:
    source = source_tree(case.series)
    words = ["--tree", source, "--author", AUTHOR, "--signoff", "--out", tmp_path / "mails"]
    result = backport(*words, *case.words(tmp_path))
    assert result.exit_code == 0, result.output
    assert result.output.count("the checker finds nothing new") == case.mails
    assert result.output.count("contract: equal\n") == case.mails
    mails = sorted((tmp_path / "mails").iterdir())
    assert len(mails) == case.mails
    assert _lines(mails[0]) == case.lines
    assert ("warning: event[crash_loaded].bit: 1 becomes 3" in result.stderr) == (
        case.name == "renumbered event"
    )
    assert checkpatch(source, mails) == []
    git_am(source, mails, tmp_path / "tree")


@pytest.mark.kbuild
def test_a_further_id_is_an_alias_of_the_module(tmp_path: Path) -> None:
    case = next(one for one in CASES if one.name == "further PCI id")
    tree = tmp_path / "tree"
    shutil.copytree(source_tree(case.series), tree)
    words = ["--tree", tree, "--author", AUTHOR, "--out", tmp_path / "mails"]
    assert backport(*words, *case.words(tmp_path)).exit_code == 0
    for mail in (tmp_path / "mails").iterdir():
        subprocess.run(["git", "-C", tree, "apply", mail], check=True)
    home = tree / "drivers/misc/pvpanic"
    kbuild(home)
    aliases = subprocess.run(["modinfo", "-F", "alias", home / "pvpanic-pci.ko"],
                             capture_output=True, text=True, check=True)  # fmt: skip
    found = sorted(aliases.stdout.split())  # modpost may turn a table's order round
    assert found == [f"pci:v00001B36d{one}sv*sd*bc*sc*i*" for one in ("00000011", "000000F1")]


@pytest.mark.kbuild
def test_the_same_again_and_another_layout_are_refused(tmp_path: Path) -> None:
    source = source_tree("6.1")
    words = ("--spec", REAL, "--author", AUTHOR, "--out", tmp_path / "out")
    same = backport(*words, "--tree", source, *AS_OF)
    assert (same.exit_code, "keeps this contract already" in same.output) == (2, True)
    old = backport(*words, "--kernel", "5.10", "--tree", source_tree("5.10"))
    assert (old.exit_code, "the driver is one file" in old.output) == (3, True)
    tree = tmp_path / "tree"
    shutil.copytree(source, tree)
    for mail in edit(source, REAL, tmp_path / "mails"):
        subprocess.run(["git", "-C", tree, "apply", mail], check=True)
    again = backport(*words, "--tree", tree)
    assert (again.exit_code, "keeps this contract already" in again.output) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.kbuild
def test_the_list_is_locked_only_where_the_handler_has_to_change(tmp_path: Path) -> None:
    """A panic that finds the list locked is not reported."""
    _, mail = edit(source_tree("6.1"), REAL, tmp_path / "mails")
    text = mail.read_text()
    assert (
        " \tpi->events = tmp;\n+\tif (!!(tmp & PVPANIC_SHUTDOWN) != !!pvpanic_power_off_handler)\n"
        "+\t\tpvpanic_power_off_update();\n"
    ) in text
    assert " #include <linux/panic_notifier.h>\n+#include <linux/printk.h>\n" in text


@pytest.mark.kbuild
@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("PVPANIC_CRASH_LOADED | PVPANIC_SHUTDOWN;", "has sys-off, and not event[shutdown]"),
        ("!= !!pvpanic_power_off_handler)", "the checker finds RUN308"),
    ],
)
def test_a_change_that_is_there_in_part_is_told_so(
    tmp_path: Path, missing: str, words: str
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(source_tree("6.1"), tree)
    for mail in edit(tree, REAL, tmp_path / "mails"):
        head, *hunks = re.split(r"^(?=@@ )", mail.read_text(), flags=re.MULTILINE)
        left = head + "".join(hunk for hunk in hunks if missing not in hunk)
        subprocess.run(["git", "-C", tree, "apply", "--recount"], input=left, text=True, check=True)
    again = backport("--spec", REAL, "--tree", tree, "--author", AUTHOR, "--out", tmp_path / "out")
    assert again.exit_code == 2, again.output
    assert "the change is partly applied: the driver has" in again.output
    assert words in again.output
    assert f"{tree}/drivers/misc/pvpanic/pvpanic.c:" in again.output
    assert "pvgen-" not in again.output
    assert not (tmp_path / "out").exists()


def _bell(tmp_path: Path, old: str, new: str) -> tuple[Path, Path]:
    return make_tree(tmp_path / "tree"), _changed(tmp_path, SPEC, old, new)


def test_a_change_without_an_edit_is_told_at_its_place(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, 'mode: "0444"', 'mode: "0400"')
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert result.exit_code == 3
    assert "no edit is known" in result.output
    assert "changed.yaml:" in result.output
    assert not (tmp_path / "mails").exists()


def test_a_place_that_is_not_certain_is_told(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "bit: 9", "bit: 11")
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert result.exit_code == 3
    assert "include/uapi/misc/vmbell.h:7: VMBELL_LEAVING is not written as bit 9" in result.output
    assert not (tmp_path / "mails").exists()


def test_the_smallest_edit_is_made(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    mails = edit(tree, spec, tmp_path / "mails", was=SPEC)
    assert _lines(mails[0]) == {"-\t.priority = 3 * 4,", "+\t.priority = 7,"}


@pytest.mark.parametrize(("commit", "named"), [("0123456789ab", False), ("ba9876543210", True)])
def test_a_commit_is_named_for_the_value_that_it_brought(
    tmp_path: Path, commit: str, named: bool
) -> None:
    tree, was = _bell(tmp_path, "priority: 12", 'priority: 12, upstream: "0123456789ab"')
    text = was.read_text().replace("priority: 12", "priority: 7")
    spec = tmp_path / "spec.yaml"
    spec.write_text(text.replace("0123456789ab", commit))
    mail = edit(tree, spec, tmp_path / "mails", was=was)[0].read_text()
    assert ("Based on mainline commit" in mail) == named
    assert (f"commit {commit}" in mail) == named


def test_two_places_for_one_role_are_one_too_many(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    with core.open("a") as file:
        file.write("struct notifier_block other_nb = { .priority = 1 };\n")
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert result.exit_code == 3
    assert "2 places could be the struct notifier_block of the driver" in result.output
    assert not (tmp_path / "mails").exists()


def test_a_place_under_a_condition_is_refused(tmp_path: Path) -> None:
    """The edit would reach one of the two drivers that the source makes."""
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    whole = re.compile(r"^static struct notifier_block .*?^};\n", re.DOTALL | re.MULTILINE)
    text, count = whole.subn(r"#ifdef CONFIG_SMP\n\g<0>#endif\n", core.read_text())
    assert count == 1
    core.write_text(text)
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    line = text[: text.index("#ifdef CONFIG_SMP")].count("\n") + 1
    assert result.exit_code == 3
    assert (
        f"drivers/misc/vmbell/vmbell.c:{line}: the struct notifier_block of the driver is under"
        in (result.output)
    )
    assert not (tmp_path / "mails").exists()


def test_a_tree_that_is_not_what_it_is_taken_for_is_refused(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    core.write_text(core.read_text().replace("3 * 4", "3 * 5"))
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert (result.exit_code, "its driver is not the one of" in result.output) == (2, True)
    assert not (tmp_path / "mails").exists()


def _refused(room: Path, tree: Path, *words: object) -> tuple[int, str]:
    """How a change of the priority ends that must not be made."""
    spec = _changed(room, SPEC, "priority: 12", "priority: 7")
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", room / "mails", *words)  # fmt: skip
    assert not (room / "mails").exists()
    return result.exit_code, result.output


def test_a_walk_of_another_name_is_not_taken_for_the_goal(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    text = core.read_text()
    assert "list_for_each_entry(" in text
    core.write_text(text.replace("list_for_each_entry(", "my_walk("))
    status, told = _refused(tmp_path, tree)
    assert status in {2, 3}
    assert "already" not in told


def test_a_source_that_ends_within_a_function_is_not_whole(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    lines = core.read_text().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if line == "}\n")
    core.write_text("".join(lines[:last]))
    status, told = _refused(tmp_path, tree)
    assert (status, "vmbell.c: a brace is not closed" in told) == (3, True), told


@pytest.mark.parametrize(
    ("function", "swap"), [("enabled_store", False), ("vmbell_init", False), ("vmbell_ring", True)]
)
def test_a_source_that_ends_behind_a_function_is_not_whole(
    tmp_path: Path, function: str, swap: bool
) -> None:
    tree = make_tree(tmp_path / "tree")
    core = tree / "drivers/misc/vmbell/vmbell.c"
    head, found, rest = core.read_text().partition(f" {function}(")
    core.write_text(head + found + rest[: rest.index("\n}\n") + len("\n}\n")])
    out = ("--tree", tree, "--author", AUTHOR, "--out", tmp_path / "mails")
    spec = _changed(tmp_path, SPEC, "priority: 12", "priority: 7")
    words = ("--replace",) if swap else ("--spec", spec, "--was", SPEC)
    result = backport(*out, *words)
    assert (result.exit_code, "not whole" in result.output) == (3, True), result.output
    assert not (tmp_path / "mails").exists()


@pytest.mark.parametrize(
    ("author", "words"),
    [
        ("A. U. Thor, Jr. <a@example.org>", "git would write 'A. U. Thor, Jr <a@example.org>'"),
        ("... <a@example.org>", "git refuses it: name consists only of"),
        ("A\nB: c <a@example.org>", "has characters that no name or address has"),
        ("A <b>", "has 'b' as its address, which is not like author@example.org"),
        ("A U Thor", "has no address in angle brackets behind a name and a blank"),
        ("A U Thor<a@example.org>", "has no address in angle brackets behind a name and a blank"),
        (" <a@example.org>", "has no name before the address"),
        ("A U Thor <a@example.org> and more", "has something behind the address"),
    ],
)
def test_an_author_that_mails_would_not_keep_is_refused(
    tmp_path: Path, author: str, words: str
) -> None:
    status, told = _refused(tmp_path, make_tree(tmp_path / "tree"), "--author", author)
    assert (status, words in told) == (2, True), told


@pytest.mark.parametrize(("epoch", "status"), [("1", 0), ("today", 2)])
def test_a_fixed_date_is_any_number_of_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: str, status: int
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    result = backport("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR,
                      "--out", tmp_path / "mails")  # fmt: skip
    assert result.exit_code == status, result.output
    if status:
        assert f"SOURCE_DATE_EPOCH is '{epoch}', and no number of seconds" in result.output
    else:
        assert "Date: Thu, 1 Jan 1970" in next((tmp_path / "mails").iterdir()).read_text()


def test_mails_are_not_written_into_the_tree(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    status, told = _refused(tmp_path, tree, "--out", tree / "mails")
    assert (status, "is in the tree, which is only read" in told) == (2, True)
    assert not (tree / "mails").exists()


def test_a_git_tree_that_another_git_works_in_is_only_read(tmp_path: Path) -> None:
    tree, spec = _bell(tmp_path, "priority: 12", "priority: 7")
    repository(tree)
    lock = tree / ".git/index.lock"
    lock.touch()
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    edit(tree, spec, tmp_path / "mails", was=SPEC)
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before


def test_a_header_that_is_ahead_of_its_driver_needs_no_mail(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    later = '  - {name: resting, bit: 2, trigger: unused, since: "6.2", description: "It rests."}\n'
    old = SPEC.read_text()
    spec = tmp_path / "changed.yaml"
    head, hooks = old.split("\nhooks:")
    spec.write_text(f"{head}{later}\nhooks:{hooks}")
    words = ("--spec", spec, "--was", SPEC, "--tree", tree, "--author", AUTHOR, "--out")
    made = backport(*words, tmp_path / "mails")
    assert made.exit_code == 3  # the last macro is not written as a bit, so its like is not made
    header = tree / "include/uapi/misc/vmbell.h"
    more = "#define VMBELL_RESTING\t(1 << 2)\n\n#endif"
    header.write_text(header.read_text().replace("\n#endif", more))
    again = backport(*words, tmp_path / "mails")
    assert (again.exit_code, "keeps this contract already" in again.output) == (2, True)
