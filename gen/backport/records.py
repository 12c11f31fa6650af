# SPDX-License-Identifier: GPL-2.0-or-later
"""What the stages of a backport hand on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.diff.records import Change
    from gen.model import Device
    from gen.release import Arrival


MAINTAINERS = "MAINTAINERS"  # the file at the root of a tree that says who looks after which files


class BackportError(Exception):
    """Nothing was made; the message is for the user.

    `status` is the exit status: 2 for a wrong tree or a wrong wish, 3 where it cannot be done.
    """

    def __init__(self, message: str, status: int = 3) -> None:
        super().__init__(message)
        self.status = status


class Delta(StrEnum):
    """How a patch's lines differ from those of the upstream commit's patch."""

    IDENTICAL = "identical"
    CONTEXT = "context"
    ADAPTED = "adapted"
    REWRITTEN = "rewritten"
    DROPPED = "dropped"
    UNKNOWN = "not compared"


@dataclass(frozen=True)
class Upstream:
    """A commit of mainline as git gives it; `commit` has 40 digits, or is None if it is not told.

    `author` and `date` are as git takes them, `body` is the message between subject and
    `trailers`, notes in brackets among them, and `diff` the patch itself.
    """

    name: str
    commit: str | None
    author: str
    date: str
    subject: str
    body: str
    trailers: tuple[str, ...]
    diff: str


@dataclass(frozen=True)
class Patch:
    """One mail: `files` has the new text by path in the tree, None for a file that goes.

    `contract` is what the driver keeps once this patch is in. `changes` are those of the spec that
    it makes, `arrival` since when mainline has them, `commit` mainline's, as far as they are known.
    `upstream` is mainline's commit where its code is taken, `basis` where the code is written anew.
    `note` says what was adapted, `maintained` whether the tree's MAINTAINERS has to change with it.
    `remarks` are the places of comments by what it changes, which it leaves as they are.
    """

    subject: str
    body: str
    files: Mapping[str, str | None]
    contract: Device
    changes: tuple[Change, ...] = ()
    arrival: Arrival | None = None
    commit: str | None = None
    upstream: Upstream | None = None
    basis: Upstream | None = None
    delta: Delta = Delta.UNKNOWN
    note: str = ""
    maintained: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def documents_only(self) -> bool:
        """Whether there is nothing in it that a compiler sees."""
        return all(path.startswith("Documentation/") or path == MAINTAINERS for path in self.files)


@dataclass(frozen=True)
class Mail:
    """A patch as git wrote it; `name` is the file's."""

    name: str
    text: str
