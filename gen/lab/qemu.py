# SPDX-License-Identifier: GPL-2.0-or-later
"""A running virtual machine: its monitor (QMP), console log and trace of register writes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from qemu.qmp import QMPClient, QMPError

from gen.lab.firmware import options
from gen.lab.machine import Machine, command
from gen.lab.problem import LabError, QemuGoneError
from gen.lab.process import tool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from gen.lab.board import Board
    from gen.lab.guest import GuestFiles

T = TypeVar("T")
# Seconds of `Host.clock`: for writing or reading a machine's state; until its monitor answers.
MOVE_LIMIT = 60.0
CONNECT_LIMIT = 30.0
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
        self.line: asyncio.StreamWriter | None = None
        self.work = work
        self.events: list[HostEvent] = []
        self._news = asyncio.Condition()

    @property
    def console(self) -> str:
        """What the kernel has written to its console so far."""
        with contextlib.suppress(FileNotFoundError):
            return (self.work / "console.log").read_text(errors="replace").replace("\r\n", "\n")
        return ""

    async def open_channel(self, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The guest's second serial line, for lines of at most `limit` bytes; closed in the end."""
        reader, self.line = await asyncio.open_unix_connection(sock=self.channel, limit=limit)
        return reader, self.line

    async def close_channel(self) -> None:
        """Close the line by its transport, if there is one.

        A transport whose socket is closed under it lives on, and when it is collected it takes the
        number of its socket out of the event loop, which by then is that of another guest's line.
        """
        if self.line is None:
            self.channel.close()
            return
        self.line.close()
        with contextlib.suppress(OSError):
            await self.line.wait_closed()

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

    def clock(self) -> float:
        """Seconds of a clock that stands still while QEMU waits for a processor.

        So what a guest has time for does not depend on what else the machine does; see
        Documentation/scheduler/sched-stats.rst.
        """
        waits = [0]
        for file in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, IndexError):
                waits.append(int(file.read_text().split()[1]))
        return time.monotonic() - max(waits) / 1e9

    async def within(self, limit: float, answer: Coroutine[Any, Any, T]) -> T:
        """Wait for an answer for `limit` seconds of that clock.

        Raises:
            TimeoutError: it did not come.
        """
        task = asyncio.ensure_future(answer)
        end = self.clock() + limit
        try:
            while not task.done():
                left = end - self.clock()
                if left <= 0:
                    raise TimeoutError
                await asyncio.wait([task], timeout=max(left, 0.1))
            return task.result()
        finally:
            task.cancel()

    async def save(self, file: Path) -> None:
        """Stop the machine and write its state to a file.

        Raises:
            LabError: QEMU could not.
        """
        await self.execute("stop")
        await self.execute("migrate", uri=f"exec:cat >{shlex.quote(str(file))}")
        await self._moved("its state was not saved")

    async def restore(self, file: Path) -> None:
        """Take over the state of an equal machine. This one was started with `incoming`.

        Raises:
            LabError: QEMU could not.
        """
        await self.execute("migrate-incoming", uri=f"exec:cat {shlex.quote(str(file))}")
        await self._moved("its state was not restored")

    async def _moved(self, complaint: str) -> None:
        end = self.clock() + MOVE_LIMIT
        while self.clock() < end:
            state = (await self.execute("query-migrate")).get("status")
            if state == "completed":
                return
            if state in {"failed", "cancelled"}:
                break
            await asyncio.sleep(0.05)
        raise LabError(complaint)

    async def wait(self, what: str, done: Callable[[], bool], limit: float) -> bool:
        """Wait until `done`; False when `limit` seconds of the machine's clock have passed.

        Raises:
            QemuGoneError: QEMU ended while waiting for `what`.
        """
        end = self.clock() + limit
        while not done():
            if self.process.returncode is not None:
                raise QemuGoneError(f"QEMU ended while waiting for {what}: {self.complaint()}")
            if self.clock() > end:
                return False
            async with self._news:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.1)
        return True

    def complaint(self) -> str:
        """QEMU's own last words."""
        text = (self.work / "qemu.log").read_text(errors="replace").strip()
        return text.splitlines()[-1] if text else f"status {self.process.returncode}"


@contextlib.asynccontextmanager
async def start(
    board: Board, machine: Machine, files: GuestFiles, work: Path, state: Path | None = None
) -> AsyncIterator[Host]:
    """Run a machine, stopped before its first instruction or in a saved state; end it on leaving.

    QEMU inherits its sockets, so no path has to be agreed on, and it dies with this process even if
    that is killed.

    Raises:
        LabError: QEMU is missing or did not start.
    """
    monitor, its_monitor = socket.socketpair()
    channel, its_channel = socket.socketpair()
    arguments = command(
        board,
        machine,
        files,
        monitor=its_monitor.fileno(),
        channel=its_channel.fileno(),
        log=work / "console.log",
        firmware=options(board, machine, work),
        trace=(work / "trace.log", WRITE_EVENT),
    )
    arguments += ["-incoming", "defer"] if state else []
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
        if state:
            await host.restore(state)
        await host.trace(enable=False)
        yield host
    finally:
        await _stop(host, collector)


async def _connect(host: Host, monitor: socket.socket) -> None:
    try:
        await host.within(CONNECT_LIMIT, host.monitor.connect(monitor))
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
    await host.close_channel()
