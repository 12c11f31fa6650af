# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine types that guests run on: what is particular to each architecture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Board:
    """A machine type of QEMU's, and what it takes to compile for it.

    Args:
        architecture: Debian's name, of the architecture and of the plain flavour of its kernels.
        cross: the prefix of the names of cross tools; empty where the host's own tools serve.
        program: QEMU's.
        options: those that make the machine.
        steady_options: with which the guest's time follows its instructions.
        console, channel: what the guest calls the two serial lines.
        pci_bus, port, port_driver: where PCI devices go, and the names of ports to plug into.
        ports_plug: options with which ports themselves tell of what is plugged into them.
        buses: of those that the spec's QEMU devices name, those that the machine has.
        first_slot: PCI slots below are the machine's own.
        hidden_memory: an address in RAM, away from where a kernel of this size and its initrd are.
        hide: kernel parameters that keep `length` bytes at `address` from the kernel.
        hole: an address above all memory that reads as zero.
        empty_port: an I/O port where nothing is.
        language: in which firmware describes platform devices: `acpi` or `of`, a device tree.
        without_firmware: kernel parameters with which firmware cannot power off.
        without_firmware_tree: a part of a device tree that does the same.
        nmi: whether the host can send a non-maskable interrupt.
        crash_kernel: whether its kernels know the system call that loads a crash kernel.
    """

    architecture: str
    cross: str
    program: str
    options: tuple[str, ...]
    steady_options: tuple[str, ...]
    console: str
    channel: str
    pci_bus: str
    port: str
    port_driver: str
    buses: frozenset[str]
    first_slot: int
    hidden_memory: int
    language: str
    without_firmware: tuple[str, ...]
    without_firmware_tree: str = ""
    ports_plug: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    hole: int | None = None
    empty_port: int | None = None
    nmi: bool = True
    crash_kernel: bool = True


PC = Board(
    architecture="amd64",
    cross="",
    program="qemu-system-x86_64",
    options=("-machine", "q35", "-accel", "tcg"),
    steady_options=("-icount", "shift=2,sleep=off"),
    console="ttyS0",
    channel="ttyS1",
    pci_bus="pcie.0",
    port="port{}",
    port_driver="pcie-root-port",
    buses=frozenset({"isa", "pci"}),
    first_slot=8,
    hidden_memory=0x10000000,
    language="acpi",
    without_firmware=("acpi=off",),
    ports_plug=("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"),
    hide=("memmap={length:#x}${address:#x}",),
    hole=0x60000000,
    empty_port=0xC00,
)

# RAM begins at 0x40000000, and the initrd is put 128 MiB behind. QEMU adds a node for PSCI to every
# tree, but the kernel takes the first that claims to be one: this root does, and then fails to say
# how it would be called.
VIRT = Board(
    architecture="arm64",
    cross="aarch64-linux-gnu-",
    program="qemu-system-aarch64",
    options=("-machine", "virt", "-cpu", "cortex-a57", "-accel", "tcg"),
    steady_options=("-icount", "shift=2,sleep=off"),
    console="ttyAMA0",
    channel="ttyAMA1",
    pci_bus="pcie.0",
    port="port{}",
    port_driver="pcie-root-port",
    buses=frozenset({"pci"}),
    first_slot=8,
    hidden_memory=0x50000000,
    language="of",
    without_firmware=(),
    without_firmware_tree='/ { compatible = "linux,dummy-virt", "arm,psci"; };',
    nmi=False,
    crash_kernel=False,
)

BOARDS = {board.architecture: board for board in (PC, VIRT)}
