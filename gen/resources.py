# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the project's facts and templates are: beside the code, or inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent
_INSTALLED = _HERE / "_data"
ROOT = _INSTALLED if _INSTALLED.is_dir() else _HERE.parent


def spec_file(name: str) -> Path:
    """A file of the `spec/` room."""
    return ROOT / "spec" / name


def template_directory() -> Path:
    """The `templates/` room."""
    return ROOT / "templates"


def kernel_directory() -> Path:
    """The facts about kernels."""
    return ROOT / "spec" / "kernels"
