# SPDX-License-Identifier: GPL-2.0-or-later
"""What is fuzzed: one function for each reader, from bytes to nothing.

A target may refuse its input in any way that the command line turns into a message; whatever else
it raises is a crash. `TARGETS` holds the functions by name. C is read by several, each with one
layer of the checker, so that the slow ones do not keep the others waiting.
"""

from __future__ import annotations

import atexit
import contextlib
import shutil
import tempfile
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from checks.baseline import read_baselines
from checks.contract.read import NothingReadError, read_contract
from checks.contract.write import as_json, as_yaml
from checks.execution.rules import RULES
from checks.extract import extract as read_facts
from checks.kconfig import read_kconfig
from checks.makefile import read_makefile
from checks.parse import parse_tree
from checks.report import FORMATS
from checks.rule import CHECKS, Context
from checks.run import check_trees
from checks.tree import Role, SourceTree, TreeFile
from gen.backport.draft import _as_it_is
from gen.backport.edits import plan_edits
from gen.backport.records import BackportError
from gen.backport.tree import KernelTree
from gen.baseline import BaselineError
from gen.diagnostics import Diagnostics, format_text
from gen.diff.accept import read_accepted
from gen.diff.sides import SideError, read_spec
from gen.generate import read_device
from gen.kernel_load import load_kernels
from gen.model_restrict import restrict
from gen.plan import Target, make_plan
from gen.release import PointRelease
from gen.render import render
from gen.resources import kernel_directory, template_directory
from gen.source import Source
from gen.yamltree import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.rule import Word
    from gen.kernel import Kernel
    from gen.model import Device

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "tests/checks/vmbell.yaml"
# A device with so little about it that one short file is its driver.
SMALL = ROOT / "tests/spec/mite.yaml"
# Before the made-up device had all of its events.
RELEASE = PointRelease.parse("6.0.7")


@cache
def _kernel() -> Kernel:
    return load_kernels(kernel_directory()).default


@cache
def _device(path: Path = SPEC) -> Device:
    return read_device(path)


def _text(data: bytes) -> str | None:
    """The input as the readers get it: they refuse what is no text before they look at it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _tree(name: str, role: Role, data: bytes) -> SourceTree | None:
    text = _text(data)
    if text is None:
        return None
    file = TreeFile(PurePosixPath(name), role, Source(name, text))
    return SourceTree("tree", (file,), whole=False)


def spec(data: bytes) -> None:
    """A spec: loaded, and rendered where it is one."""
    try:
        device = read_spec(data, "fuzz.yaml")
    except SideError as error:
        for item in error.diagnostics:
            format_text(item)
        return
    render(make_plan(device, Target(_kernel(), None), "fuzz.yaml"), template_directory())


def yaml(data: bytes) -> None:
    """A file of accepted findings, of the checker and of the differ."""
    path = _room() / "accepted.yaml"
    path.write_bytes(data)
    with contextlib.suppress(BaselineError):
        read_baselines([path])
    with contextlib.suppress(BaselineError):
        read_accepted(path)


@cache
def _room() -> Path:
    """A directory in memory, for readers that take a path."""
    name = tempfile.mkdtemp(prefix="pvgen-fuzz-", dir="/dev/shm")
    atexit.register(shutil.rmtree, name, ignore_errors=True)
    return Path(name)


def tree(data: bytes) -> None:
    """YAML to a tree of nodes, which every YAML file goes through."""
    text = _text(data)
    if text is not None:
        diagnostics = Diagnostics()
        root = read_yaml(Source("fuzz.yaml", text), diagnostics)
        assert (root is not None) or diagnostics.failed
        for item in diagnostics:
            format_text(item)


def c(data: bytes) -> None:
    """A driver's C: preprocessed, parsed, and turned into facts."""
    given = _tree("vmbell.c", Role.UNIT, data)
    if given is not None:
        read_facts(given, parse_tree(given, _kernel()), _kernel())


def rules(data: bytes) -> None:
    """The same, judged by every rule but running, and reported in one of the forms."""
    given = _tree("vmbell.c", Role.UNIT, data)
    if given is not None:
        report = check_trees([given], _device(), _kernel(), execute=False)
        forms = list(FORMATS.values())
        forms[len(data) % len(forms)](report).encode()


def run(data: bytes) -> None:
    """The driver run against a modelled kernel, whatever other rules say of it."""
    executed(data)


def executed(data: bytes) -> list[Word]:
    """What running the driver has to say."""
    given = _tree("mite.c", Role.UNIT, data)
    if given is None:
        return []
    units = parse_tree(given, _kernel())
    context = Context(_device(SMALL), read_facts(given, units, _kernel()), units)
    return [word for rule in RULES for word in CHECKS[rule](context)]


def extract(data: bytes) -> None:
    """A driver's C: the contract read out of it, and written."""
    given = _tree("vmbell.c", Role.UNIT, data)
    if given is None:
        return
    try:
        contract = read_contract(given, _kernel())
    except NothingReadError:
        return
    as_yaml(contract).encode()
    as_json(contract).encode()


def kconfig(data: bytes) -> None:
    """A driver's Kconfig."""
    given = _tree("Kconfig", Role.KCONFIG, data)
    if given is not None:
        read_kconfig(given.files)


def makefile(data: bytes) -> None:
    """A driver's Makefile."""
    given = _tree("Makefile", Role.MAKEFILE, data)
    if given is not None:
        read_makefile(given.files)


def patch(data: bytes) -> None:
    """The core file of a tree's driver, which a backport edits by syntax."""
    text = _text(data)
    if text is None or not text.endswith("\n"):
        return
    device = _device()
    home = f"drivers/misc/{device.name}"
    files = {**_driver_files(home), f"{home}/{device.name}.c": text}
    given = KernelTree(Path("tree"), RELEASE, "drivers/misc", home, single=False, files=files)
    for new in _wishes():
        with contextlib.suppress(BackportError):
            plan_edits(given, restrict(device, RELEASE, shared=True), new, _kernel(), _as_it_is)


@cache
def _wishes() -> tuple[Device, ...]:
    """What a driver is edited to: one more event, and another priority."""
    text = SPEC.read_text(encoding="utf-8")
    changed = text.replace("priority: 12", "priority: INT_MAX")
    return _device(), read_spec(changed.encode(), "changed.yaml")


@cache
def _driver_files(home: str) -> dict[str, str]:
    driver = ROOT / "tests/checks/driver"
    files = {f"{home}/{path.name}": path.read_text() for path in driver.iterdir() if path.is_file()}
    files |= {f"include/uapi/{path.relative_to(driver / 'uapi')}": path.read_text()
              for path in (driver / "uapi").rglob("*.h")}  # fmt: skip
    return files


TARGETS: dict[str, Callable[[bytes], None]] = {
    "spec": spec, "tree": tree, "yaml": yaml, "c": c, "rules": rules, "run": run,
    "extract": extract, "kconfig": kconfig, "makefile": makefile, "patch": patch,
}  # fmt: skip
# The targets that read C.
READ_C = ("c", "rules", "run", "extract", "patch")
# Whose corpus a target starts from, besides its own: a file stands in one directory.
CORPORA = {**dict.fromkeys(READ_C, "c"), "tree": "spec"}
