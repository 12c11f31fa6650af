# SPDX-License-Identifier: GPL-2.0-or-later
"""Rendered texts: golden files of made-up devices, and what holds for every rendering."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen.generate import generate
from gen.kernel_load import load_kernels
from gen.resources import kernel_directory
from gen.specs import GenerationError
from gen.wrap import wrap
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"
SERIES = load_kernels(kernel_directory()).series
SPECS = ["spec/pvpanic.yaml", "tests/spec/acme_watch.yaml", "tests/spec/mite.yaml"]
MAINLINE_LINES = 373
MAY_EXCEED = 1.15


def rendered(spec: str, kernel: str | None = None, as_of: str | None = None) -> dict[str, str]:
    return dict(generate(ROOT / spec, kernel, as_of).files)


def listing(files: dict[str, str]) -> str:
    """All files in a row, without the hash: a comment in a spec changes no golden file."""
    text = "".join(f"==== {path}\n{content}" for path, content in files.items())
    return re.sub(r"\(sha256 [0-9a-f]{12}\)", "(sha256 ...)", text)


@pytest.mark.parametrize("spec", SPECS[1:], ids=lambda spec: Path(spec).stem)
def test_golden(spec: str, golden: Callable[[Path, str], None]) -> None:
    """Whole renderings of devices that are nothing like the shipped one."""
    files = rendered(spec)
    golden(GOLDEN / f"{Path(spec).stem}.txt", listing(files))


def test_golden_contract_of_an_older_release(golden: Callable[[Path, str], None]) -> None:
    files = rendered(SPECS[0], "7.3", "6.1")
    golden(GOLDEN / "pvpanic-7.3-as-of-6.1.txt", listing(files))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: Path(spec).stem)
@pytest.mark.parametrize("series", SERIES)
def test_every_rendering(spec: str, series: str) -> None:
    """First line SPDX, then the origin; no dates, no machine's paths, no trailing blanks."""
    files = rendered(spec, series)
    for path, text in files.items():
        lines = text.split("\n")
        assert "SPDX-License-Identifier: " in lines[0], path
        assert f"Made from {spec} (sha256 " in text
        assert f"pvgen gen --spec {spec} --kernel {series}" in text
        assert str(ROOT) not in text
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        assert "\n\n\n" not in text, path
        assert not re.search(r"[ \t]\n", text), path
        assert "{{" not in text
        assert "{%" not in text
        if path.endswith((".c", ".h")):
            assert max(len(line.expandtabs(8)) for line in lines) <= 100, path


def test_same_input_same_bytes() -> None:
    assert rendered(SPECS[0]) == rendered(SPECS[0])


def test_device_facts_come_from_the_spec_alone() -> None:
    """A rendering of another device has nothing of the shipped one's names and ids in it."""
    for spec in SPECS[1:]:
        for text in rendered(spec).values():
            assert not re.search(
                r"pvpanic|qemu|1b36|panicked|(?<!kexec_)crash_loaded", text, re.IGNORECASE
            )


def test_the_driver_is_not_longer_than_mainline_allows() -> None:
    files = rendered(SPECS[0])
    lines = sum(text.count("\n") for path, text in files.items()
                if path.startswith("pvpanic") and path.endswith((".c", ".h")))  # fmt: skip
    assert lines <= MAINLINE_LINES * MAY_EXCEED


def test_an_event_of_a_later_release_is_left_out() -> None:
    new, old = rendered(SPECS[0]), rendered(SPECS[0], as_of="6.1")
    assert "PVPANIC_SHUTDOWN" in new["uapi/misc/pvpanic.h"]
    assert "PVPANIC_SHUTDOWN" not in "".join(old.values())
    assert "sys_off" not in "".join(old.values())


@pytest.mark.parametrize(
    ("kernel", "as_of", "words"),
    [
        ("6.2", None, "no facts about Linux 6.2"),
        (None, "5.10", "none of the frontends"),
        (None, "99.1", "nothing is known of Linux 99.1"),
        (None, "new", "'new' is not a release"),
    ],
)
def test_impossible_targets(kernel: str | None, as_of: str | None, words: str) -> None:
    with pytest.raises(GenerationError, match=re.escape(words)):
        rendered(SPECS[0], kernel, as_of)


def test_prose_breaks_at_blanks_alone() -> None:
    """Who reads a help text may search for the option or the path that it names."""
    assert wrap("take -device pvpanic-pci now", 22, hanging="  ") == [
        "take -device",
        "  pvpanic-pci now",
    ]
    assert wrap("see a/very/long/path-name", 8) == ["see", "a/very/long/path-name"]
