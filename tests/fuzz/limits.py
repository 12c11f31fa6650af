# SPDX-License-Identifier: GPL-2.0-or-later
"""The limits on one input, in the processor's time, so that a busy machine does not count."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 2.0
MEGABYTES = 512


class TooSlow(BaseException):
    """An input took longer than any may; nothing that catches errors catches this."""


def limited(target: Callable[[bytes], None], seconds: float = SECONDS) -> Callable[[bytes], None]:
    """The target, ended with `TooSlow` once it has used so many seconds of the processor."""

    def run(data: bytes) -> None:
        with _alarm(seconds):
            target(data)

    return run


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    start = time.process_time()
    signal.signal(signal.SIGVTALRM, _over)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    # One long call into C is not interrupted, and may have counted as the system's time.
    if time.process_time() - start > seconds:
        raise TooSlow


def _over(*_: object) -> None:
    raise TooSlow
