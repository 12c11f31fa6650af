# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel calls the numbers of errors."""

from __future__ import annotations

import errno

# Those that the kernel calls otherwise than the C library does, or that only the kernel has.
_NAMED = {errno.EDEADLK: "EDEADLK", errno.EOPNOTSUPP: "EOPNOTSUPP", 517: "EPROBE_DEFER",
          524: "ENOTSUPP"}  # fmt: skip


def error_name(result: int) -> str:
    """The name of an error that is returned as a negative number."""
    return _NAMED.get(-result) or errno.errorcode.get(-result, f"error {-result}")


def returned(result: int) -> str:
    """What a function returned, as C has it: a negative number is an error."""
    if result.__class__ is not int or result >= 0:  # a driver may return what is no number
        return str(result)
    name = error_name(result)
    return f"-{name}" if name.isidentifier() else str(result)
