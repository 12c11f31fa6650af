# SPDX-License-Identifier: GPL-2.0-or-later
"""Running tools: argument lists, no shell, and a message that names the tool and its complaint."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import PurePath
from typing import TYPE_CHECKING

from gen.lab.problem import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# How a user of the reference distribution gets a tool that is not there.
PACKAGES = {
    "/usr/lib/apt/apt-helper": "apt",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu and libc6-dev-arm64-cross",
    "apt-get": "apt",
    "busybox": "busybox-static",
    "depmod": "kmod",
    "dpkg": "dpkg",
    "dtc": "device-tree-compiler",
    "dh": "debhelper",
    "dh_dkms": "dh-dkms",
    "gcc": "gcc and libc6-dev",
    "git": "git",
    "iasl": "acpica-tools",
    "mmdebstrap": "mmdebstrap",
    "make": "make",
    "modinfo": "kmod",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-system-x86_64": "qemu-system-x86",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}


def tool(name: str) -> str:
    """The path of a tool. System tools count too, even when the user's PATH leaves them out.

    Raises:
        LabError: it is not installed; the message names its package.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        package = PACKAGES.get(name)
        where = f"; install the package {package}" if package else ""
        raise LabError(f"{name} is not installed{where}")
    return found


def run(
    arguments: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 600,
    prefix: Sequence[str] = (),
) -> str:
    """Run a tool to its end and return its standard output.

    Args:
        arguments: the tool's name, found by `tool`, and its arguments.
        cwd: where to run it.
        env: variables to set besides the present ones.
        timeout: seconds after which it is ended.
        prefix: words of a command that runs it in another way; messages do not name it.

    Raises:
        LabError: not installed, not done in time, or failed; the message holds its last words.
    """
    command = [*prefix, tool(str(arguments[0])), *map(str, arguments[1:])]
    name = PurePath(arguments[0]).name
    try:
        result = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, "LC_ALL": "C", **(env or {})},
            timeout=timeout,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{name} did not finish within {timeout:g} s") from None
    except OSError as error:
        raise LabError(f"{name} could not be run: {error.strerror}") from None
    if result.returncode != 0:
        told = (result.stderr.strip() or result.stdout.strip()).splitlines()
        # apt and what is built on it mark their errors; notes may follow.
        words = [line for line in told if line.startswith("E: ")] or told[-5:]
        raise LabError(f"{name} failed ({result.returncode}): " + " | ".join(words))
    return result.stdout
