# SPDX-License-Identifier: GPL-2.0-or-later
"""Releases of Linux and QEMU, and when something arrived in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen.model import Places


@dataclass(frozen=True, order=True)
class Release:
    """A release of Linux or QEMU, ordered as numbers: 6.9 comes before 6.10."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Release:
        """Read `6.10`.

        Raises:
            ValueError: the text is not two numbers with a dot between them.
        """
        match = re.fullmatch(r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})", text)
        if match is None:
            raise ValueError(f"'{text}' is not a release such as 6.10")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True)
class PointRelease:
    """A release of a stable tree, such as 6.1.4; without `point`, the newest of its series.

    Within a series, a point release comes before the newest. Across series there is no order of
    contents: 6.1.95 has what 6.2 lacks, so `Arrival` answers what a release has.
    """

    series: Release
    point: int | None = None

    @classmethod
    def parse(cls, text: str) -> PointRelease:
        """Read `6.1` or `6.1.4`.

        Raises:
            ValueError: the text is neither.
        """
        match = re.fullmatch(r"([0-9]+\.[0-9]+)(?:\.(0|[1-9][0-9]{0,3}))?", text)
        if match is None:
            raise ValueError(f"'{text}' is not a release such as 6.10 or 6.1.4")
        return cls(Release.parse(match[1]), int(match[2]) if match[2] else None)

    def reaches(self, other: PointRelease) -> bool:
        """Whether this is `other`, or a later release of the same series."""
        if self.series != other.series or self.point is None:
            return self.series == other.series
        return other.point is not None and self.point >= other.point

    def __str__(self) -> str:
        return str(self.series) if self.point is None else f"{self.series}.{self.point}"


@dataclass(frozen=True)
class Arrival:
    """Since when a driver has something: a mainline release, and stable trees that took it over.

    `upstream` is mainline's commit, if one brought it: 40 hexadecimal digits, or the first of them.
    """

    since: Release
    stable: tuple[PointRelease, ...]
    at: Places
    upstream: str | None = None

    def __contains__(self, release: PointRelease) -> bool:
        """Whether `release` has it."""
        return release.series >= self.since or any(release.reaches(item) for item in self.stable)
