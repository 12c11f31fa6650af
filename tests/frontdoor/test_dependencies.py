# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/dependencies.md, the lock files and `.ci/packages` say the same as what is installed."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.frontdoor.machine import CI, ROOT

LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")
PAGE = (ROOT / "docs/dependencies.md").read_text()


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell."""
    below = PAGE.split(f" {heading}\n", 1)[1]
    section = re.split(r"^##+ ", below, maxsplit=1, flags=re.MULTILINE)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    return {row[0]: row[1:] for row in rows[2:]}


def direct(kind: str) -> set[str]:
    """The packages that pyproject.toml names: `run` or `dev`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = project["dependencies"] if kind == "run" else project["optional-dependencies"]["dev"]
    return {canonicalize_name(Requirement(name).name) for name in names}


def pinned(lock: str) -> dict[str, str]:
    """The versions of a lock file."""
    text = (ROOT / lock).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, flags=re.MULTILINE))


def all_pinned() -> dict[str, str]:
    return {name: version for lock in LOCKS for name, version in pinned(lock).items()}


def licence(name: str) -> str:
    """The licence that a package's metadata declare, in the newest of the three ways to do so."""
    data = importlib.metadata.metadata(name)
    classifiers = [text for text in data.get_all("Classifier", []) if text.startswith("License ::")]
    ways: list[list[str]] = [
        data.get_all("License-Expression", []),
        ["; ".join(sorted(text.split(" :: ")[-1] for text in classifiers))],
        data.get_all("License", []),
        ["not in its metadata"],
    ]
    return next(texts[0] for texts in ways if any(texts))


@pytest.mark.parametrize(
    ("kind", "heading"), [("run", "What runs pvgen"), ("dev", "What checks it")]
)
def test_every_direct_dependency_has_its_reason(kind: str, heading: str) -> None:
    rows = table(heading)
    assert set(rows) == direct(kind)
    assert all(why for why, _ in rows.values())


def test_everything_else_that_is_pinned_is_listed() -> None:
    rows = table("What these need in turn")
    assert set(rows) == set(all_pinned()) - direct("run") - direct("dev")


@pytest.mark.parametrize("name", sorted(all_pinned()))
def test_what_is_installed_is_what_is_pinned_and_licensed_as_told(name: str) -> None:
    assert importlib.metadata.version(name) == all_pinned()[name]
    told = {
        package: cells[-1]
        for heading in ("What runs pvgen", "What checks it", "What these need in turn")
        for package, cells in table(heading).items()
    }
    assert told[name] == licence(name)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_files_pin_hashes_and_name_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    block = r"^[a-z0-9.-]+==\S+ \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n)+"
    blocks = re.findall(block, text, flags=re.MULTILINE)
    assert len(blocks) == len(pinned(lock)) > 0
    assert not re.search(r"://|/[a-z]+/|--(?:extra-)?index|--find-links|--trusted", text)


def test_locks_agree_with_one_another() -> None:
    for lock in LOCKS:
        versions = pinned(lock)
        assert versions == {name: all_pinned()[name] for name in versions}


def test_locks_hold_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {
        "requirements.lock": project["project"]["dependencies"]
        + project["build-system"]["requires"],
        "requirements-dev.lock": project["project"]["optional-dependencies"]["dev"],
    }
    for lock, requirements in asked.items():
        versions = pinned(lock)
        for requirement in map(Requirement, requirements):
            assert versions[canonicalize_name(requirement.name)] in requirement.specifier


def test_debian_packages_are_told_as_they_are_installed() -> None:
    listed = []
    for line in (CI / "packages").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            match = re.fullmatch(r"(\S+)\s+(\S+)\s+(?:\[(\S+)\]\s+)?([^[].*)", line)
            assert match, line
            group, package, condition, why = match.groups()
            listed.append((group, package))
            cells = [group, f"`{package}`", condition, why]
            assert " ".join(f"| {cell}" if cell else "|" for cell in cells) + " |" in PAGE
    assert len(set(listed)) == len(listed) > 0
    assert len(re.findall(r"^\| \w+ \| `", PAGE, flags=re.MULTILINE)) == len(listed)
