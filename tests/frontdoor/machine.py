# SPDX-License-Identifier: GPL-2.0-or-later
"""A make-believe Debian machine for the set-up scripts: its tools are small scripts in a directory.

Only the tools that look at or change the machine are replaced; the scripts under test and the rest
of the shell's tools are real.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / ".ci"

# A package is a file whose text is its version: in `installed/`, in `archive/`, in `backports/`. An
# archive whose lists were never fetched stands in `unfetched/` instead.
TOOLS = {
    "id": 'echo "$FAKE_UID"',
    "uname": 'echo "9.9.9-fake"',
    "sudo": 'exec "$@"',
    "dpkg-query": """
        for name; do :; done
        [ -f "$FAKE/installed/$name" ] || exit 1
        echo "installed $(cat "$FAKE/installed/$name")"
    """,
    "dpkg": """
        case $1 in
        --compare-versions) exec /usr/bin/dpkg "$@" ;;
        --print-architecture) echo amd64 ;;
        *) echo "dpkg $*" >>"$FAKE/log" ;;
        esac
    """,
    "apt-cache": """
        case $1 in
        policy) [ -f "$FAKE/archive/$2" ] && echo "  Candidate: $(cat "$FAKE/archive/$2")" ;;
        madison | show) [ -f "$FAKE/archive/$2" ] && echo "$2" ;;
        esac
    """,
    "apt-get": """
        echo "apt-get $*" >>"$FAKE/log"
        case " $* " in
        *" indextargets "*)
            . /etc/os-release
            [ -z "$(ls "$FAKE/archive")" ] ||
                echo "Debian|Debian|$VERSION_CODENAME|file:///archive/" ;;
        *Dir::State::lists=*" update "*)
            [ -n "$(ls "$FAKE/backports")" ]
            sources=$(printf '%s\\n' "$@" | sed -n 's/^Dir::Etc::sourceparts=//p')
            cat "$sources"/need.list >>"$FAKE/log" ;;
        *" update "*) cp "$FAKE"/unfetched/* "$FAKE/archive/" ;;
        *" install "*)
            from=archive
            case " $* " in *" -t "*) from=backports ;; esac
            for word; do
                if [ -f "$FAKE/$from/$word" ]; then
                    cp "$FAKE/$from/$word" "$FAKE/installed/"
                elif [ -n "$wanted" ]; then
                    echo "E: no $word"
                    exit 100
                fi
                [ "$word" != install ] || wanted=1
            done ;;
        esac
    """,
}


@dataclass
class Machine:
    """A directory that plays a machine; `uid` 0 is root."""

    home: Path
    uid: int = 1000
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for directory in ("bin", "installed", "archive", "unfetched", "backports", "tools"):
            (self.home / directory).mkdir(parents=True)
        for name, text in TOOLS.items():
            self.tool(name, text)
        self.packages("archive", dpkg="1")

    def tool(self, name: str, text: str) -> None:
        """Put a tool on the machine: the body of a shell script."""
        path = self.home / "bin" / name
        path.write_text(f"#!/bin/sh\nset -e\n{text}\n")
        path.chmod(0o755)

    def packages(self, place: str, **versions: str) -> None:
        """Put packages somewhere; an underscore in a name stands for a hyphen."""
        for name, version in versions.items():
            (self.home / place / name.replace("_", "-")).write_text(version)

    def fetched_nothing(self) -> None:
        """As in a fresh image: the archive's lists are still to be fetched."""
        for path in (self.home / "archive").iterdir():
            path.rename(self.home / "unfetched" / path.name)

    def hide(self, *tools: str) -> None:
        """Make the machine one that lacks these tools altogether: only what it needs is linked."""
        for name in tools:
            (self.home / "bin" / name).unlink()
        for name in ("sh", "sed", "head", "tail", "grep", "awk", "dirname", "cat", "sort", "uname"):
            link = self.home / "tools" / name
            if not link.exists():
                link.symlink_to(Path("/usr/bin") / name)
        self.environment["PATH"] = f"{self.home / 'bin'}:{self.home / 'tools'}"

    def log(self) -> list[str]:
        """What apt-get and dpkg were asked to do, in order."""
        path = self.home / "log"
        return path.read_text().splitlines() if path.exists() else []

    def run(
        self, script: str, *arguments: str, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of `.ci` on the machine."""
        environment = {
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "FAKE": str(self.home),
            "FAKE_UID": str(self.uid),
            **self.environment,
            **(extra or {}),
        }
        return subprocess.run(
            [CI / script, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
