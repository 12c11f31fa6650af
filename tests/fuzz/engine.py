# SPDX-License-Identifier: GPL-2.0-or-later
"""One target under atheris: `python -m tests.fuzz.engine TARGET` and libFuzzer's own options."""

from __future__ import annotations

import sys

import atheris

from tests.fuzz.limits import limited

# What is watched while it runs. The lexers and parsers of C that others wrote are not: that would
# double what an input costs, and what is to be found lies in what takes their word.
INSTRUMENTED = ["gen", "checks", "kconfiglib", "yaml"]


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import READ_C, TARGETS  # noqa: PLC0415 (instrumented so)
    from tests.fuzz.mutate import mutate  # noqa: PLC0415 (after what it uses, not before)

    TARGETS[name](b"")  # what is read once for all is not the first input's time
    mutator = {"custom_mutator": mutate} if name in READ_C else {}
    atheris.Setup([sys.argv[0], *options], limited(TARGETS[name]), **mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
