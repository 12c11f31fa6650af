# SPDX-License-Identifier: GPL-2.0-or-later
"""Which spec is meant when none is named, and how messages and rendered files call one."""

from __future__ import annotations

from pathlib import Path

from gen.diagnostics import Diagnostics
from gen.resources import ROOT


class GenerationError(Exception):
    """Nothing can be rendered; what is wrong with the spec is in `diagnostics`."""

    def __init__(self, message: str, diagnostics: Diagnostics | None = None) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics or Diagnostics()


def default_spec() -> Path:
    """The one spec in `spec/`: of the project one stands in, else of the installation.

    Raises:
        GenerationError: there are several, or none.
    """
    for room in (Path("spec"), ROOT / "spec"):
        found = sorted(room.glob("*.yaml"))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(path.name for path in found)
            raise GenerationError(f"{room} holds several specs ({names}); choose one with --spec")
    raise GenerationError("there is no spec; name one with --spec")


def shown_name(path: Path) -> str:
    """How rendered files call a spec: relative, since no machine's path may stand in them."""
    try:
        absolute = path.resolve()
        for base in (Path.cwd(), ROOT):
            if absolute.is_relative_to(base.resolve()):
                return absolute.relative_to(base.resolve()).as_posix()
    except (OSError, RuntimeError):  # no current directory any more, or a loop of links
        pass
    return path.name
