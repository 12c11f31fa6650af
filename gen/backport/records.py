# SPDX-License-Identifier: GPL-2.0-or-later
"""What the stages of a backport hand on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.model import Device


class BackportError(Exception):
    """Nothing was made; the message is for the user.

    `status` is the exit status: 2 for a wrong tree or a wrong wish, 3 where it cannot be done.
    """

    def __init__(self, message: str, status: int = 3) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Patch:
    """One mail: `files` has the new text by path in the tree, None for a file that goes.

    `contract` is what the driver keeps once this patch is in, but for the checker's rules `open`,
    which a later patch of the series answers.
    """

    subject: str
    body: str
    files: Mapping[str, str | None]
    contract: Device
    open: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Mail:
    """A patch as git wrote it; `name` is the file's."""

    name: str
    text: str
