# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual machine of a scenario, and how QEMU is told.

Two scenarios with equal machines can share a boot, so a `Machine` is a plain value. What is
particular to an architecture is in its `Board`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.lab.firmware import shape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gen.lab.board import Board
    from gen.lab.guest import GuestFiles


@dataclass(frozen=True)
class Attached:
    """A device under test: QEMU's name for it, the bus it goes to, its mask of events if set."""

    frontend: str
    driver: str
    bus: str
    mask_property: str | None = None
    mask: int | None = None


@dataclass(frozen=True)
class Preset:
    """A byte that stands in the guest's memory before it starts."""

    address: int
    value: int


@dataclass(frozen=True)
class Machine:
    """What a scenario boots.

    Args:
        devices: the devices under test, in the order of the command line.
        memory: in MiB.
        processors: how many the guest has.
        append: kernel parameters besides the lab's own.
        ports: empty ones into which devices can be plugged.
        firmware_plugs: whether firmware tells of what is plugged, and not the ports themselves.
        steady: time in the guest follows its instructions. That is slower, but on a busy host no
            timer interrupt comes too late for a kernel that is just testing or calibrating it.
        on_panic: QEMU's action when a guest reports a panic: `none` or `pause`.
        crash_kernel: whether the initramfs brings a crash kernel along.
        firmware: whether the board's firmware can power the machine off.
        described: more platform devices, as source in the board's language.
        presets: bytes to put into memory.
    """

    devices: tuple[Attached, ...] = ()
    memory: int = 256
    processors: int = 1
    append: tuple[str, ...] = ()
    ports: int = 0
    firmware_plugs: bool = True
    steady: bool = False
    on_panic: str = "none"
    crash_kernel: bool = False
    firmware: bool = True
    described: str | None = None
    presets: tuple[Preset, ...] = ()


def slot(board: Board, machine: Machine, index: int) -> int:
    """The PCI slot of the device under test with this index."""
    before = machine.devices[:index]
    return board.first_slot + sum(device.bus == "pci" for device in before)


def _device_options(board: Board, machine: Machine) -> list[str]:
    options: list[str] = []
    for index, device in enumerate(machine.devices):
        words = [device.driver]
        if device.bus == "pci":
            words += [f"bus={board.pci_bus}", f"addr={slot(board, machine, index):#x}"]
        if device.mask is not None:
            words.append(f"{device.mask_property}={device.mask}")
        options += ["-device", ",".join(words)]
    return options


def _port_options(board: Board, machine: Machine) -> list[str]:
    """Ports follow the devices under test on the bus."""
    first = slot(board, machine, len(machine.devices))
    ports = [
        f"{board.port_driver},id={board.port.format(number)},bus={board.pci_bus},"
        f"chassis={number + 1},slot={number + 1},addr={first + number:#x}"
        for number in range(machine.ports)
    ]
    return [word for port in ports for word in ("-device", port)]


def kernel_parameters(board: Board, machine: Machine) -> str:
    """The guest's command line. No panic timeout: what comes after a panic stays to be seen."""
    own = [f"console={board.console}", f"lab.channel={board.channel}", "loglevel=7", "panic=0"]
    bare = () if machine.firmware else board.without_firmware
    return " ".join([*own, *bare, *machine.append])


def command(
    board: Board,
    machine: Machine,
    files: GuestFiles,
    *,
    monitor: int,
    channel: int,
    log: Path,
    firmware: Sequence[str],
    trace: tuple[Path, str],
) -> list[str]:
    """QEMU's command line.

    `monitor` and `channel` are inherited sockets; `log` receives the console; `firmware` has
    the options for what it describes. `trace` is a log file and the trace event that may be
    switched on later: QEMU only sets up its log when an event is named at the start.
    """
    initrd = files.crash_initrd if machine.crash_kernel else files.initrd
    presets = [
        word
        for preset in machine.presets
        for word in ("-device", f"loader,addr={preset.address:#x},data={preset.value},data-len=1")
    ]
    return [
        *(board.program, *shape(board, machine)),
        *(board.steady_options if machine.steady else ()),
        *(() if machine.firmware_plugs else board.ports_plug),
        *("-nodefaults", "-no-user-config", "-display", "none"),
        *("-action", f"panic={machine.on_panic},shutdown=pause,reboot=shutdown"),
        *("-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control"),
        *("-chardev", f"file,id=console,path={log}", "-serial", "chardev:console"),
        *("-chardev", f"socket,id=channel,fd={channel}", "-serial", "chardev:channel"),
        *("-D", str(trace[0]), "-d", f"trace:{trace[1]}", "-S"),
        *("-kernel", str(files.kernel), "-initrd", str(initrd)),
        *("-append", kernel_parameters(board, machine)),
        *firmware,
        *_device_options(board, machine),
        *_port_options(board, machine),
        *presets,
    ]
