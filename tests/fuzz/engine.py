# SPDX-License-Identifier: GPL-2.0-or-later
"""One target under atheris: `python -m tests.fuzz.engine TARGET` and libFuzzer's own options."""

from __future__ import annotations

import sys

import atheris

from tests.fuzz.limits import limited

INSTRUMENTED = ["gen", "checks", "pcpp", "pycparser", "kconfiglib", "yaml"]


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 (instrumented while imported)
    TARGETS[name](b"")  # what is read once for all is not the first input's time
    atheris.Setup([sys.argv[0], *options], limited(TARGETS[name]))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
