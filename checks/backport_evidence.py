# SPDX-License-Identifier: GPL-2.0-or-later
"""A backport tried: built after each mail against real headers, and booted.

A driver is built out of its tree. Its own header for user space is made to come before the
kernel's, which may lack what a mail adds.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.backport_boot import Modules, Stage, boot
from gen.backport.records import BackportError
from gen.lab.board import PC
from gen.lab.buildroot import BUILD_LIMIT, Built, open_root
from gen.lab.problem import LabError
from gen.room import scratch_room

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from checks.backport_judge import Before, Step
    from gen.backport.tree import KernelTree
    from gen.kernel import Kernel
    from gen.model import Device

    # Gets a module directory's texts and a directory for the modules.
    Build = Callable[[Mapping[str, str], Path], Built]

NOT_RUN = "not run (--verify)"


@dataclass(frozen=True)
class Trial:
    """What to try with: `kdir` where headers are given, `scenarios` where not all are played."""

    kdir: Path | None
    scenarios: tuple[str, ...]
    jobs: int
    say: Callable[[str], None]


@dataclass(frozen=True)
class Evidence:
    """One sentence for each mail about its build, and one about the boot of the last."""

    builds: tuple[str, ...]
    boot: str


def not_run(count: int) -> Evidence:
    """Nothing was tried."""
    return Evidence((NOT_RUN,) * count, NOT_RUN)


def try_series(
    tree: KernelTree, steps: Sequence[Step], before: Before, target: Kernel, trial: Trial
) -> Evidence:
    """Build the driver after each mail and boot the last; the tree's own one for comparison.

    Raises:
        BackportError: it does not build, the build has a new warning, or a scenario fails.
        LabError: there are no headers, no kernel, or no QEMU.
    """
    build, where = _builder(target, trial)
    with scratch_room() as name:
        room, contract = name, steps[-1].patch.contract
        old: frozenset[str] = frozenset()
        own = None
        if not tree.single:
            trial.say("building the tree's own driver")
            kept = before.contract or contract
            found = build(module_texts(tree, tree.files, kept), room / "base")
            old = frozenset(map(_plain, found.warnings))
            own = Modules(room / "base", kept) if found.succeeded and before.contract else None
        told = []
        for number, step in enumerate(steps, 1):
            if step.patch.documents_only:
                told.append("documents only")
                continue
            trial.say(f"building mail {number} of {len(steps)}")
            built = build(module_texts(tree, step.files, step.patch.contract), room / str(number))
            _judge(built, old, number)
            told.append(f"with W=1 on {where}: no new warning")
        stage = Stage(target, room / "guests", trial.jobs, trial.say)
        seen = boot(Modules(room / str(len(steps)), contract), own, trial.scenarios, stage)
    return Evidence(tuple(told), seen)


def _judge(built: Built, old: frozenset[str], number: int) -> None:
    fresh = [line for line in built.warnings if _plain(line) not in old]
    if not built.succeeded:
        errors = [line for line in built.log.splitlines() if "error" in line.lower()]
        raise BackportError(f"mail {number} does not build: {(errors or ['no reason given'])[0]}")
    if fresh:
        raise BackportError(f"the build of mail {number} has a new warning: {fresh[0]}")


def _plain(line: str) -> str:
    """A warning without the place, which edits move."""
    return re.sub(r"^\S+?:[0-9:]+ *", "", line)


def module_texts(
    tree: KernelTree, files: Mapping[str, str | None], contract: Device
) -> dict[str, str]:
    """The driver's directory as one that kbuild builds out of the tree, as modules."""
    own, public = f"{tree.home}/", "include/uapi/"
    found = {path.removeprefix(own): text for path, text in files.items()
             if text is not None and path.startswith(own)}  # fmt: skip
    for path, text in files.items():
        if text is not None and path.startswith(public):
            name = f"uapi/{path.removeprefix(public)}"
            found[name] = text
            found["Makefile"] += f"\nccflags-y += -include $(src)/{name}\n"
    # The configuration of the kernel may have other symbols, or not these.
    symbols = [f"CONFIG_{one.kconfig.symbol} := m\n" for one in contract.frontends]
    found["Makefile"] = "".join([*symbols, found["Makefile"]])
    return found


def _builder(target: Kernel, trial: Trial) -> tuple[Build, str]:
    """How to build, and the words for it."""
    if trial.kdir is None:
        root = open_root(target, PC, trial.say)
        return root.build, f"{root.headers.package} of {', '.join(root.headers.suites)}"
    kdir = trial.kdir.absolute()
    if not (kdir / "Makefile").is_file():
        raise BackportError(f"{kdir}: no kernel build tree", 2)

    def build(texts: Mapping[str, str], modules: Path) -> Built:
        for name, text in texts.items():
            (modules / name).parent.mkdir(parents=True, exist_ok=True)
            (modules / name).write_text(text, encoding="utf-8", newline="")
        try:
            done = subprocess.run(
                ["make", "-C", kdir, f"M={modules}", "W=1", "modules"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                timeout=BUILD_LIMIT, check=False,
                env={**os.environ, "LC_ALL": "C", "MAKEFLAGS": ""},
            )  # fmt: skip
        except FileNotFoundError:
            raise LabError("make is not installed") from None
        except subprocess.TimeoutExpired:
            raise LabError(f"the build did not end within {BUILD_LIMIT} s") from None
        return Built(done.stdout, done.returncode == 0)

    return build, str(kdir)
