# SPDX-License-Identifier: GPL-2.0-or-later
"""A running virtual machine: its monitor (QMP), console log and trace of register writes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from qemu.qmp import QMPClient, QMPError

from gen.lab.machine import Board, Machine, command
from gen.lab.problem import LabError, QemuGoneError
from gen.lab.process import run, tool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from gen.lab.guest import GuestFiles

# The event that QEMU traces for each write to a device's memory or I/O region.
WRITE_EVENT = "memory_region_ops_write"
WRITE = re.compile(
    rf"{WRITE_EVENT} .*\baddr (?P<addr>0x[0-9a-f]+) value (?P<value>0x[0-9a-f]+) size (?P<size>\d+)"
)


@dataclass(frozen=True)
class HostEvent:
    """A QMP event, without its time."""

    name: str
    data: dict[str, Any]

    def __str__(self) -> str:
        details = " ".join(str(self.data[key]) for key in ("action", "reason") if key in self.data)
        return f"{self.name} {details}".rstrip()


@dataclass(frozen=True)
class Write:
    """A write that reached a device: a bus address, the value, the size in bytes."""

    address: int
    value: int
    size: int


def parse_writes(text: str) -> list[Write]:
    """The writes in a trace log."""
    return [
        Write(int(found["addr"], 16), int(found["value"], 16), int(found["size"]))
        for found in WRITE.finditer(text)
    ]


class Host:
    """The host's view of one machine."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        monitor: QMPClient,
        channel: socket.socket,
        work: Path,
    ) -> None:
        self.process = process
        self.monitor = monitor
        self.channel = channel
        self.work = work
        self.events: list[HostEvent] = []
        self._news = asyncio.Condition()

    @property
    def console(self) -> str:
        """What the kernel has written to its console so far."""
        with contextlib.suppress(FileNotFoundError):
            return (self.work / "console.log").read_text(errors="replace").replace("\r\n", "\n")
        return ""

    async def collect(self) -> None:
        """Note each event that QEMU sends, for as long as the connection holds."""
        async for message in self.monitor.events:
            self.events.append(
                HostEvent(str(message["event"]), cast("dict[str, Any]", message.get("data", {})))
            )
            async with self._news:
                self._news.notify_all()

    async def execute(self, name: str, /, **arguments: Any) -> Any:
        """Run a QMP command.

        Raises:
            QemuGoneError: QEMU has ended.
            LabError: it refused the command.
        """
        try:
            return await self.monitor.execute(name, arguments or None)
        except QMPError as error:
            if self.process.returncode is not None:
                raise QemuGoneError(f"QEMU ended with status {self.process.returncode}") from None
            raise LabError(f"QEMU refused {name}: {error}") from None

    async def human(self, line: str) -> str:
        """Run a command of the human monitor."""
        return str(await self.execute("human-monitor-command", **{"command-line": line}))

    async def status(self) -> str:
        """The run state, such as `running` or `guest-panicked`."""
        return str((await self.execute("query-status"))["status"])

    async def settle(self) -> None:
        """Take in every event that QEMU has sent; its answer to a command comes after them."""
        await self.status()
        await self.wait("the last events", self.monitor.events.empty, 1)

    async def trace(self, *, enable: bool) -> None:
        """Switch the trace of register writes."""
        await self.execute("trace-event-set-state", name=WRITE_EVENT, enable=enable)

    def writes(self) -> list[Write]:
        """The writes that were traced so far."""
        with contextlib.suppress(FileNotFoundError):
            return parse_writes((self.work / "trace.log").read_text(errors="replace"))
        return []

    async def wait(self, what: str, done: Callable[[], bool], limit: float) -> bool:
        """Wait until `done`; False when `limit` seconds have passed.

        Raises:
            QemuGoneError: QEMU ended while waiting for `what`.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + limit
        while not done():
            if self.process.returncode is not None:
                raise QemuGoneError(f"QEMU ended while waiting for {what}: {self.complaint()}")
            if loop.time() > end:
                return False
            async with self._news:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.1)
        return True

    def complaint(self) -> str:
        """QEMU's own last words."""
        text = (self.work / "qemu.log").read_text(errors="replace").strip()
        return text.splitlines()[-1] if text else f"status {self.process.returncode}"


def _compile_table(source: str, work: Path) -> Path:
    file = work / "table.asl"
    file.write_text(source)
    run(["iasl", "-p", work / "table", file])
    return work / "table.aml"


@contextlib.asynccontextmanager
async def start(
    board: Board, machine: Machine, files: GuestFiles, work: Path
) -> AsyncIterator[Host]:
    """Run a machine, stopped before its first instruction; end it on leaving.

    QEMU inherits its sockets, so no path has to be agreed on, and it dies with this process even if
    that is killed.

    Raises:
        LabError: QEMU is missing or did not start.
    """
    table = _compile_table(machine.table, work) if machine.table else None
    monitor, its_monitor = socket.socketpair()
    channel, its_channel = socket.socketpair()
    arguments = command(
        board,
        machine,
        files,
        monitor=its_monitor.fileno(),
        channel=its_channel.fileno(),
        log=work / "console.log",
        table=table,
        trace=(work / "trace.log", WRITE_EVENT),
    )
    (work / "command").write_text(" ".join(arguments) + "\n")
    with (work / "qemu.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(tool("setpriv"), "--pdeathsig", "KILL", tool(arguments[0]), *arguments[1:]),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(its_monitor.fileno(), its_channel.fileno()),
        )
    its_monitor.close()
    its_channel.close()
    client = QMPClient("lab")
    host = Host(process, client, channel, work)
    collector: asyncio.Task[None] | None = None
    try:
        await _connect(host, monitor)
        collector = asyncio.create_task(host.collect())
        await host.trace(enable=False)
        yield host
    finally:
        await _stop(host, collector)


async def _connect(host: Host, monitor: socket.socket) -> None:
    try:
        await asyncio.wait_for(host.monitor.connect(monitor), 30)
    except (QMPError, TimeoutError, OSError):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(host.process.wait(), 1)
        raise LabError(f"QEMU did not start: {host.complaint()}") from None


async def _stop(host: Host, collector: asyncio.Task[None] | None) -> None:
    if host.process.returncode is None:
        host.process.kill()
    await host.process.wait()
    if collector is not None:
        collector.cancel()
        await asyncio.gather(collector, return_exceptions=True)
    with contextlib.suppress(QMPError, OSError, EOFError):
        await host.monitor.disconnect()
    host.channel.close()
