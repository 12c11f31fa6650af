# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that an edit brings, in trees that have them already: no mail may break the build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backport.cases import CASES, REAL
from tests.backport.trees import AUTHOR, apply, backport, changed_tree
from tests.kbuild.kernels import kbuild

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = pytest.mark.kbuild
CORE, SHARED, PCI = "pvpanic.c", "pvpanic.h", "pvpanic-pci.c"
POWER_OFF = ("--spec", REAL)
_BEFORE = "static void pvpanic_remove("
_USE = "\tspin_unlock(&pvpanic_lock);\n}\n\nstatic ssize_t capability_show"
_STORE = "\tunsigned int tmp;\n\tint err;\n"
_END = "int devm_pvpanic_probe("
_ID = "#define PCI_DEVICE_ID_REDHAT_PVPANIC"
TEST = "PCI_DEVICE_ID_REDHAT_TEST"


def run(tmp_path: Path, *words: object) -> Result:
    """What comes of the edit, and that nothing is written where it is refused."""
    mails = tmp_path / "mails"
    done = backport("--tree", tmp_path / "tree", "--author", AUTHOR, "--out", mails, *words)
    assert mails.exists() == (done.exit_code == 0)
    return done


def _further_id(room: Path) -> list[str]:
    return next(one for one in CASES if one.name == "further PCI id").words(room)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        pytest.param(CORE, _USE, f"\tpvpanic_power_off_update();{_USE}",
                     "pvpanic_power_off_update is there already", id="function"),
        pytest.param(CORE, _STORE, f"{_STORE}\tint pvpanic_power_off_mutex = 0;\n\n"
                     "\tkstrtoint(buf, 16, &pvpanic_power_off_mutex);\n",
                     "pvpanic_power_off_mutex is there already", id="local"),
        pytest.param(SHARED, _END, f"extern int pvpanic_power_off_handler;\n{_END}",
                     "pvpanic_power_off_handler is there already", id="header"),
        pytest.param(SHARED, _END, f"#define OFF(x) pvpanic_power_off_notify(x)\n{_END}",
                     "pvpanic_power_off_notify is there already", id="within a macro"),
        pytest.param(SHARED, _END, f"enum {{ PVPANIC_SHUTDOWN = 8 }};\n{_END}",
                     "PVPANIC_SHUTDOWN is there already", id="event"),
        pytest.param(CORE, _STORE, f"{_STORE}\tint mutex_lock = 0;\n\n"
                     "\tif (mutex_lock)\n\t\treturn mutex_lock;\n",
                     "mutex_lock is one of the driver's own", id="kernel's name"),
        pytest.param(CORE, _BEFORE, f"#define pr_warn(...) do {{ }} while (0)\n\n{_BEFORE}",
                     "pr_warn is one of the driver's own", id="kernel's macro"),
    ],
)  # fmt: skip
def test_a_name_that_is_taken_is_refused_at_its_place(
    tmp_path: Path, file: str, old: str, new: str, told: str
) -> None:
    more = {}
    if "pvpanic_power_off_update();" in new:
        more = {_BEFORE: f"static void pvpanic_power_off_update(void)\n{{\n}}\n\n{_BEFORE}"}
    tree = changed_tree(tmp_path / "tree", file, {old: new, **more})
    text = (tree / "drivers/misc/pvpanic" / file).read_text()
    name = told.partition(" ")[0]
    line = text[: text.index(name)].count("\n") + 1
    done = run(tmp_path, *POWER_OFF)
    assert done.exit_code == 3, done.output
    assert f"drivers/misc/pvpanic/{file}:{line}: {told}" in done.output


@pytest.mark.parametrize("comment", [False, True])
def test_headers_of_the_tree_count_as_far_as_they_are_included(
    tmp_path: Path, comment: bool
) -> None:
    tree = changed_tree(tmp_path / "tree", CORE, {})
    (tree / "include/linux").mkdir()
    (tree / "include/linux/kexec.h").write_text("#include <linux/off.h>\n")
    said = "/* see pvpanic_power_off_update */\n" if comment else ""
    (tree / "include/linux/off.h").write_text(said or "\nint pvpanic_power_off_update(void);\n")
    (tree / "include/linux/other.h").write_text("int pvpanic_power_off_mutex;\n")
    done = run(tmp_path, *POWER_OFF)
    if comment:
        assert done.exit_code == 0, done.output
    else:
        assert done.exit_code == 3, done.output
        assert "include/linux/off.h:2: pvpanic_power_off_update is there already" in done.output


def test_a_header_that_is_a_link_out_of_the_tree_is_not_read(tmp_path: Path) -> None:
    tree = changed_tree(tmp_path / "tree", CORE, {})
    (tree / "include/linux").mkdir()
    (tmp_path / "outside.h").write_text("int pvpanic_power_off_update(void);\n")
    (tree / "include/linux/kexec.h").symlink_to(tmp_path / "outside.h")
    assert run(tmp_path, *POWER_OFF).exit_code == 0


def test_variables_get_other_names_where_the_file_has_theirs(tmp_path: Path) -> None:
    words = {
        "static spinlock_t pvpanic_lock;\n": "static spinlock_t wanted;\n",
        "&pvpanic_lock": "&wanted",
        "pi_cur": "handler",
    }
    tree = changed_tree(tmp_path / "tree", CORE, words, often=True)
    done = run(tmp_path, *POWER_OFF)
    assert done.exit_code == 0, done.output
    kbuild(apply(tree, tmp_path / "mails"))
    text = (tree / "drivers/misc/pvpanic" / CORE).read_text()
    assert "\tstruct sys_off_handler *off_handler;\n\tbool off_wanted = false;\n" in text
    assert "sys_off_data *data)" in text
    assert (
        "\t\toff_handler = register_sys_off_handler(SYS_OFF_MODE_POWER_OFF,\n"
        "\t\t\t\t\t\t       SYS_OFF_PRIO_LOW,\n"
    ) in text


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (SHARED, _END, f"#define {TEST} 0x00f1\n{_END}", None),
        (SHARED, _END, f"#define {TEST} 0x00f3\n{_END}", f"{TEST} is not 0x00f1"),
        (PCI, _ID, f"enum {{ {TEST} = 0xf1 }};\n{_ID}", f"{TEST} is there already"),
    ],
)
def test_an_id_that_the_tree_names_is_used_or_refused(
    tmp_path: Path, file: str, old: str, new: str, told: str | None
) -> None:
    tree = changed_tree(tmp_path / "tree", file, {old: new})
    done = run(tmp_path, *_further_id(tmp_path))
    if told is not None:
        assert (done.exit_code, told in done.output) == (3, True), done.output
        assert f"drivers/misc/pvpanic/{file}:" in done.output
        return
    assert done.exit_code == 0, done.output
    kbuild(apply(tree, tmp_path / "mails"))
    text = (tree / "drivers/misc/pvpanic" / PCI).read_text()
    assert f"PCI_DEVICE(PCI_VENDOR_ID_REDHAT, {TEST})" in text
    assert f"#define {TEST}" not in text
