# SPDX-License-Identifier: GPL-2.0-or-later
"""git, run in repositories that may be a stranger's: it reads them and executes nothing of theirs.

A repository's own configuration can name commands: hooks, a file system monitor, filters, a program
that verifies signatures, a transport that fetches what a partial clone lacks. All of these are off
here. What the user's own configuration says about whom to trust (safe.directory) stays.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OFF = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "log.showSignature": "false",
    "submodule.recurse": "false",
}
# An object that is missing is missing: nothing is fetched, by whatever transport.
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
}
_FILTER = re.compile(r"(filter\..*)\.(?:clean|smudge|process|required)", re.DOTALL)

_COMMANDS = ("clean", "smudge", "process")


class GitError(Exception):
    """git failed; the message is its own, and empty where it said nothing."""


class NoGitError(GitError):
    """git is not installed."""


def git(
    *arguments: str,
    directory: Path | None = None,
    text: bytes | None = None,
    settings: Mapping[str, str] | None = None,
    fine: tuple[int, ...] = (0,),
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints in a directory, the current one if none is given.

    Args:
        arguments: the words of its command line.
        directory: where it runs.
        text: its standard input.
        settings: what of its configuration is set besides.
        fine: the exit statuses that are no failure.
        environment: its environment, in place of this process's.

    Raises:
        GitError: it failed, or is not installed.
    """
    place = [] if directory is None else ["-C", str(directory)]
    given = os.environ if environment is None else environment
    try:
        done = subprocess.run(
            ["git", *place, *arguments],
            input=text or b"",
            capture_output=True,
            env={
                **{key: value for key, value in given.items() if key != "GIT_EXTERNAL_DIFF"},
                **_ENVIRONMENT,
                **_configured({**_OFF, **(settings or {})}),
            },
            check=False,
        )
    except FileNotFoundError:
        raise NoGitError("git is not installed") from None
    except ValueError as error:  # a NUL among the words
        raise GitError(str(error)) from None
    if done.returncode not in fine:
        raise GitError(done.stderr.decode(errors="replace").strip())
    return done.stdout


def bare_environment() -> dict[str, str]:
    """An environment in which neither the user's configuration nor the system's counts."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
    return kept | own


def _configured(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings by way of the environment, where no name of theirs can be mistaken for a value."""
    first = os.environ.get("GIT_CONFIG_COUNT", "")
    start = int(first) if first.isdecimal() else 0
    variables = {"GIT_CONFIG_COUNT": str(start + len(settings))}
    for number, (key, value) in enumerate(settings.items(), start):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def changed(directory: Path) -> str | None:
    """The first path of a work tree that is not as it was committed; None if there is none.

    This is the one question for which git would run the filters that a repository names.

    Raises:
        GitError: as for `git`.
    """
    # A name and its value are parted by a newline, entries by a NUL.
    listed = git("config", "--list", "-z", directory=directory).decode(errors="surrogateescape")
    names = [entry.split("\n")[0] for entry in listed.split("\0")]
    filters = {match[1] for name in names if (match := _FILTER.fullmatch(name))}
    none = {f"{name}.{key}": "" for name in sorted(filters) for key in _COMMANDS}
    none |= {f"{name}.required": "false" for name in sorted(filters)}
    told = git("status", "--porcelain", "-uno", "-z", "--ignore-submodules=all",
               directory=directory, settings=none)  # fmt: skip
    return told.split(b"\0")[0][3:].decode(errors="replace") or None
