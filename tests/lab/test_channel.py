# SPDX-License-Identifier: GPL-2.0-or-later
"""The line to a guest when several guests follow each other in one process."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import TYPE_CHECKING, Any, cast

from gen.lab.qemu import Host

if TYPE_CHECKING:
    from pathlib import Path


def _host(channel: socket.socket, work: Path) -> Host:
    """The host's view of a guest of which there is nothing but the line."""
    nothing = cast("Any", None)
    return Host(nothing, nothing, channel, work)


def test_a_guest_is_heard_though_its_line_has_the_number_of_an_ended_ones(tmp_path: Path) -> None:
    async def play() -> tuple[bool, bytes]:
        ours, guests = socket.socketpair()
        number = ours.fileno()
        ended = _host(ours, tmp_path)
        kept = await ended.open_channel(100)
        guests.close()
        assert await kept[0].read() == b""
        await ended.close_channel()
        # The lowest free number is given out first.
        ours, guests = socket.socketpair()
        reader, _ = await _host(ours, tmp_path).open_channel(100)
        same = ours.fileno() == number
        del ended, kept
        gc.collect()
        guests.sendall(b"heard\n")
        return same, await asyncio.wait_for(reader.readline(), 5)

    assert asyncio.run(play()) == (True, b"heard\n")
