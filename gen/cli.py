# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: what the stages return becomes text and an exit status.

Exit status, everywhere: 0 nothing to report; 1 findings, or stale output; 2 wrong usage or a bad
spec; 3 the question could not be answered.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from pathlib import Path

    from gen.diff.records import TreeSide

# Where each command is defined. Importing one only when it is asked for keeps the others quick:
# rendering needs no C parser, and checking needs no QEMU.
_COMMANDS = {
    "gen": "gen.commands:gen",
    "kernels": "gen.kernels_command:kernels",
    "dkms": "gen.dkms:dkms",
    "deb": "gen.deb:deb",
    "check": "checks.command:check",
    "explain": "checks.command:explain",
    "rules": "checks.command:rules_command",
    "extract": "checks.contract.command:extract",
    "backport": "checks.backport:backport",
    "diff": "gen.diff.command:diff",
    "diff-kernels": "gen.diff.targets:diff_kernels",
    "git-setup": "gen.diff.command:git_setup",
    "git-diff": "gen.diff.command:git_diff",
    "git-pager": "gen.diff.command:git_pager",
    "boot": "gen.lab.command:boot",
    "matrix": "checks.matrix_command:matrix",
    "differential": "gen.lab.differential:differential",
}


class _Commands(click.Group):
    """The commands of the table, each imported when it is used or listed."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{_COMMANDS[cmd_name]} is no command")
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pvgen")
@click.pass_context
def main(context: click.Context) -> None:
    """Render, check, build and boot the Linux driver of a paravirtual panic device."""
    context.obj = _read_tree


def _read_tree(label: str, tree: Path | str, series: str | None) -> TreeSide:
    """What `pvgen diff` calls for a directory of C, which only `checks` can read."""
    from checks.contract.side import read_tree  # noqa: PLC0415 (most commands do without)

    return read_tree(label, tree, series)


def run() -> NoReturn:
    """The entry point: a command, and what can end any of them from outside.

    click answers an interrupt, a closed pipe and a full disk with status 1, which here means that
    there are findings.
    """
    try:
        status = _status()
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except (click.Abort, KeyboardInterrupt):
        status = 128 + signal.SIGINT
    except BrokenPipeError:
        status = 128 + signal.SIGPIPE
    except OSError as error:
        status = 3
        with contextlib.suppress(OSError):
            click.echo(f"pvgen: {error.filename or 'output'}: {error.strerror}", err=True)
    # The interpreter's own last flush would fail again on an output that is gone.
    os._exit(status)


def _status() -> int:
    """Run the command and return its exit status."""
    try:
        # click's own main() would end a closed pipe with status 1.
        with main.make_context("pvgen", sys.argv[1:]) as context:
            main.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    return 0


if __name__ == "__main__":
    run()
