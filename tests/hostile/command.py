# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line on what strangers wrote: it ends with a status, whatever that is."""

from __future__ import annotations

from click.testing import CliRunner, Result

from gen.cli import main
from tests.checks.trees import SPEC


def invoke(*words: object) -> Result:
    """A command of pvgen, which may refuse what it likes and raise nothing."""
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


def check(tree: object, *words: str) -> Result:
    """Check a tree against the made-up device."""
    return invoke("check", "--spec", SPEC, *words, tree)
