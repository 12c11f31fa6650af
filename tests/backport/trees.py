# SPDX-License-Identifier: GPL-2.0-or-later
"""Small kernel trees of our own text, with the made-up driver that the checker's tests have."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from click.testing import CliRunner

from gen.cli import main
from tests.conftest import ROOT
from tests.kbuild.kernels import source_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from click.testing import Result

DRIVER = ROOT / "tests/checks/driver"
SPEC = ROOT / "tests/checks/vmbell.yaml"
AUTHOR = "A U Thor <author@example.org>"
MAKEFILE = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 7\n"


def make_tree(root: Path, *, single: bool = False) -> Path:
    """A tree of Linux 6.1.7 whose driver has a directory, or is a single file."""
    parent = root / "drivers/misc"
    home = parent / "vmbell"
    home.mkdir(parents=True)
    (root / "Makefile").write_text(MAKEFILE)
    for file in DRIVER.iterdir():
        if file.is_file():
            shutil.copy(file, home / file.name)
    shutil.copytree(DRIVER / "uapi", root / "include/uapi")
    hook, rule = 'source "drivers/misc/vmbell/Kconfig"\n', "obj-$(CONFIG_VMBELL)\t+= vmbell/\n"
    if single:
        shared = (home / "vmbell.h").read_text()
        text = (home / "vmbell.c").read_text()
        (parent / "vmbell.c").write_text(text.replace('#include "vmbell.h"\n', shared))
        shutil.rmtree(home)
        hook = 'config VMBELL\n\ttristate "A bell"\n\thelp\n\t  Rings.\n\n'
        rule = rule.replace("vmbell/", "vmbell.o")
    (parent / "Kconfig").write_text(f'menu "Misc"\n\nconfig FIRST\n\tbool\n\n{hook}endmenu\n')
    (parent / "Makefile").write_text(f"obj-$(CONFIG_FIRST)\t+= first.o\n{rule}")
    return root


def send_elsewhere(tree: Path) -> None:
    """Move the walk that sends an event to a module of its own, without the driver's name."""
    home = tree / "drivers/misc/vmbell"
    core = (home / "vmbell.c").read_text()
    parts = {}
    for start, end in (
        ("enum vmbell_register {", "#define VMBELL_ALL"),
        ("#define vmbell_strike", "struct vmbell {"),
        ("struct vmbell {", "static LIST_HEAD"),
        ("static LIST_HEAD", "static void vmbell_ring"),
        ("static void vmbell_ring", "static int vmbell_panic"),
    ):
        parts[start] = core[core.index(start) : core.index(end)]
    enum, strike, struct, lists, ring = parts.values()
    for part in parts.values():
        core = core.replace(part, "")
    exported = "LIST_HEAD(vmbell_all);\nEXPORT_SYMBOL_GPL(vmbell_all);\n"
    exported += "DEFINE_SPINLOCK(vmbell_lock);\nEXPORT_SYMBOL_GPL(vmbell_lock);\n\n"
    assert lists.count("static") == 2
    (home / "vmbell.c").write_text(core)
    header = (home / "vmbell.h").read_text()
    more = f"#include <linux/list.h>\n#include <linux/spinlock.h>\n\n{enum}{struct}"
    more += "extern struct list_head vmbell_all;\nextern spinlock_t vmbell_lock;\n"
    more += "void vmbell_ring(u16 chime);\n\n#endif"
    (home / "vmbell.h").write_text(header.replace("#endif", more))
    (home / "send.c").write_text(
        "// SPDX-License-Identifier: GPL-2.0-only\n#include <linux/export.h>\n"
        "#include <linux/io.h>\n#include <linux/list.h>\n#include <linux/module.h>\n"
        '#include <linux/spinlock.h>\n\n#include "vmbell.h"\n\n'
        f"{strike}{exported}{ring.replace('static ', '', 1).rstrip()}\n"
        'EXPORT_SYMBOL_GPL(vmbell_ring);\n\nMODULE_DESCRIPTION("rings");\nMODULE_LICENSE("GPL");\n'
    )
    makefile = (home / "Makefile").read_text()
    (home / "Makefile").write_text(makefile.replace("+= vmbell.o", "+= vmbell.o send.o"))


def backport(*words: object) -> Result:
    """Run the command on the made-up device for Linux 6.1."""
    line = ["backport", "--spec", SPEC, "--kernel", "6.1", *words]
    return CliRunner().invoke(main, [str(word) for word in line])


def git(tree: Path, *words: object, text: str = "") -> str:
    """What git prints in a tree."""
    line = ["git", "-C", tree, "-c", "user.name=Ä Main", "-c", "user.email=main@example.org"]
    run = subprocess.run([*map(str, [*line, *words])], input=text, capture_output=True, text=True,
                         check=True)  # fmt: skip
    return run.stdout


def repository(tree: Path) -> Path:
    """Make a git work tree of a tree."""
    git(tree, "init", "-q")
    git(tree, "add", "-A", "-f")
    git(tree, "commit", "-q", "-m", "base")
    return tree


def git_am(source: Path, mails: Sequence[Path], tree: Path) -> Path:
    """A copy of a source, as a git work tree, with the mails applied."""
    shutil.copytree(source, tree)
    git(repository(tree), "am", "-q", *mails)
    return tree


def changed_tree(root: Path, file: str, changes: Mapping[str, str], *, often: bool = False) -> Path:
    """A copy of mainline's driver in 6.1, one file of it changed; each text is there once."""
    shutil.copytree(source_tree("6.1"), root)
    path = root / "drivers/misc/pvpanic" / file
    text = path.read_text()
    for old, new in changes.items():
        assert text.count(old) == 1 or (often and old in text), old
        text = text.replace(old, new)
    path.write_text(text)
    return root


def apply(tree: Path, mails: Path) -> Path:
    """The driver's directory in a tree that the mails are applied to, ready to be built alone."""
    for mail in sorted(mails.iterdir()):
        subprocess.run(["git", "-C", tree, "apply", mail], check=True)
    home = tree / "drivers/misc/pvpanic"
    with (home / "Makefile").open("a") as file:  # before the header of whatever it is built for
        file.write(f"ccflags-y += -include {tree}/include/uapi/misc/pvpanic.h\n")
    return home


def checkpatch(source: Path, mails: Sequence[Path]) -> list[str]:
    """The types of what the source's own checkpatch.pl has against the mails, each once.

    How stable trees name a commit of mainline is not how it wants commits to be named.
    """
    words = ["--strict", "--no-tree", "-q", "--show-types",
             "--ignore", "GIT_COMMIT_ID,UNKNOWN_COMMIT_ID"]  # fmt: skip
    line = ["perl", str(source / "scripts/checkpatch.pl"), *words, *map(str, mails)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    types = sorted(set(re.findall(r"^(?:ERROR|WARNING|CHECK):(\w+):", done.stdout, re.MULTILINE)))
    assert bool(types) == bool(done.returncode), done.stdout + done.stderr
    return types


def remarks(source: Path, mails: Sequence[Path], report: str) -> tuple[list[str], list[str]]:
    """The types of checkpatch.pl's remarks that stand, and of those that have an answer.

    Whether MAINTAINERS needs an update is a question, which the command's report answers mail by
    mail. And checkpatch.pl takes the /dev/null of a binding that goes for a file that is none, so
    that a mail of nothing but bindings is told to be split.

    Args:
        source: the tree that has checkpatch.pl.
        mails: the mails.
        report: what `pvgen backport` said when it made them.
    """
    stand, answered = set[str](), set[str]()
    for mail in mails:
        text = mail.read_text(encoding="utf-8")
        paths = re.findall(r"^diff --git a/(\S+) b/\S+$", text, re.MULTILINE)
        below = re.search(rf"^  \S*{re.escape(mail.name)}\n((?:    .*\n)*)", report, re.MULTILINE)
        answers = {
            "FILE_PATH_CHANGES": below is not None and "    MAINTAINERS: " in below[1],
            "DT_SPLIT_BINDING_PATCH": "\n+++ /dev/null\n" in text
            and all(path.startswith("Documentation/devicetree/") for path in paths),
        }
        for kind in checkpatch(source, [mail]):
            (answered if answers.get(kind) else stand).add(kind)
    return sorted(stand), sorted(answered)
