# SPDX-License-Identifier: GPL-2.0-or-later
"""Spec text to a `Device`: reading, form, text, building and meaning, in this order.

Each step reports all that it finds; a step is skipped only when the one before left nothing that
it could work on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen.build import build_device
from gen.form import check_form
from gen.meaning import check_meaning
from gen.source import Source, UnreadableSourceError, read_source
from gen.texts import check_texts
from gen.yamltree import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from gen.diagnostics import Diagnostics
    from gen.model import Device

MAX_BYTES = 1 << 20


def load_device(path: Path, diagnostics: Diagnostics, name: str | None = None) -> Device | None:
    """Read a spec file.

    Args:
        path: the file.
        diagnostics: receives everything that is wrong with it.
        name: how messages and rendered files call it; the path as given when absent.

    Returns:
        The device, or None when an error was reported.
    """
    try:
        source = read_source(path, name, MAX_BYTES)
    except UnreadableSourceError as error:
        nowhere = Source(name or str(path), "").span(1, 1)
        diagnostics.error("YAML006", f"the spec cannot be read: {error}", nowhere)
        return None
    return parse_device(source, diagnostics)


def parse_device(source: Source, diagnostics: Diagnostics) -> Device | None:
    """Read a spec from text; see `load_device`."""
    before = len(diagnostics)
    root = read_yaml(source, diagnostics)
    if root is None:
        return None
    formed = check_form(root, diagnostics)
    check_texts(root, diagnostics)
    if not formed:
        return None
    device = build_device(root, source)
    check_meaning(device, diagnostics)
    return device if len(diagnostics) == before else None
