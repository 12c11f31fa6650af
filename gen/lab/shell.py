# SPDX-License-Identifier: GPL-2.0-or-later
"""A line to the guest's first process: scripts in, exit status and output back."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.lab.problem import GuestError, NoBootError, QemuGoneError

if TYPE_CHECKING:
    import asyncio

    from gen.lab.qemu import Host

# Seconds for one script. The slowest ones load modules, under emulation, on a busy host.
SCRIPT_LIMIT = 60.0
LINE_LIMIT = 1 << 22


@dataclass(frozen=True)
class Ran:
    """What a script left behind; output and errors together, without the last newline."""

    status: int
    output: str


class Shell:
    """Runs scripts in the guest, one at a time."""

    def __init__(
        self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.host = host
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, host: Host) -> Shell:
        """The line to a guest, up or starting."""
        return cls(host, *await host.open_channel(LINE_LIMIT))

    async def ready(self, limit: float) -> None:
        """Wait for a guest that is starting.

        Raises:
            NoBootError: it did not come up within `limit` seconds.
        """
        try:
            line = await self._line(limit, "the guest to boot")
        except GuestError as error:
            raise NoBootError(str(error)) from None
        if line != "ready":
            raise NoBootError("the guest came up with something else than the lab's first process")

    async def send(self, script: str) -> None:
        """Start a script that will not return, such as one that crashes the guest."""
        self.writer.write(base64.b64encode(script.encode()) + b"\n")
        await self.writer.drain()

    async def attempt(self, script: str, limit: float = SCRIPT_LIMIT) -> Ran:
        """Run a script and say how it went.

        Raises:
            GuestError: no answer within `limit` seconds, or QEMU ended.
        """
        await self.send(script)
        first = script.strip().splitlines()[0]
        status, _, output = (await self._line(limit, f"an answer to: {first}")).partition(" ")
        if not status.isdigit():
            raise GuestError(f"the guest answered with garbage to: {first}")
        return Ran(int(status), base64.b64decode(output).decode(errors="replace").rstrip("\n"))

    async def run(self, script: str, limit: float = SCRIPT_LIMIT) -> str:
        """Run a script that has to succeed and return its output.

        Raises:
            GuestError: it failed, or there was no answer.
        """
        ran = await self.attempt(script, limit)
        if ran.status != 0:
            first = script.strip().splitlines()[0]
            raise GuestError(f"in the guest, status {ran.status} of: {first}: {ran.output}")
        return ran.output

    async def _line(self, limit: float, what: str) -> str:
        try:
            line = await self.host.within(limit, self.reader.readline())
        except TimeoutError:
            raise GuestError(f"waited {limit:g} s in vain for {what}") from None
        except ConnectionError:
            line = b""
        if not line.endswith(b"\n"):
            raise QemuGoneError(f"QEMU ended while waiting for {what}: {self.host.complaint()}")
        return line.decode("ascii", "replace").strip()
