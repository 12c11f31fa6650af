# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of C by tokens, so that more of what a fuzzer makes still is C and is parsed."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import TYPE_CHECKING

import atheris

from gen.kernel_load import load_kernels
from gen.resources import kernel_directory

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(r"\s+|\w+|\"[^\"\n]*\"|'[^'\n]*'|->|<<|>>|&&|\|\||[=!<>+*/%&|^-]=|.", re.DOTALL)
_WORDS = ("if", "else", "for", "while", "do", "switch", "case 1:", "default:", "return", "break",
          "continue", "goto", "static", "const", "struct", "union", "enum", "int", "char", "void",
          "unsigned", "sizeof", "typeof", "0", "1", "-1", "31", "0x80000000", "~0ULL", "NULL", "(",
          ")", "{", "}", "[", "]", ";", ",", "*", "&", "!", "~", "=", "==", "->", "?", ":", "<<",
          "#define", "#if", "#endif", "\n", "\\\n", '"x"', "'x'")  # fmt: skip
# Tokens that one change takes, at most.
_RUN = 12


@cache
def _names() -> tuple[str, ...]:
    """What kernels offer, which is what drivers call."""
    return tuple(load_kernels(kernel_directory()).default.table)


def mutate(data: bytes, size: int, seed: int) -> bytes:
    """One change: of bytes, as libFuzzer makes it, or of tokens; at most `size` bytes."""
    rng = random.Random(seed)  # noqa: S311 (no secret)
    return bytes(atheris.Mutate(data, size)) if rng.random() < 1 / 4 else by_tokens(data, size, rng)


def by_tokens(data: bytes, size: int, rng: random.Random) -> bytes:
    """One change of tokens. What is too long then loses lines anywhere, so that its end remains."""
    text = "".join(change(_TOKEN.findall(data.decode(errors="ignore")), rng))
    while len(text.encode()) > size and "\n" in text:
        lines = text.split("\n")
        del lines[rng.randrange(len(lines))]
        text = "\n".join(lines)
    return text.encode()[:size]


def change(tokens: Sequence[str], rng: random.Random) -> list[str]:
    """The tokens with a run of them left out, told twice, moved, or replaced by another one."""
    at, long = rng.randrange(len(tokens) + 1), rng.randint(1, _RUN)
    before, run, after = tokens[:at], tokens[at : at + long], tokens[at + long :]
    other = rng.randrange(len(tokens) + 1)
    new = rng.choice((*_WORDS, rng.choice(_names()), *tokens[other : other + 1]))
    match rng.randrange(6):
        case 0:
            return [*before, *after]
        case 1:
            return [*before, *run, *run, *after]
        case 2:
            rest = [*before, *after]
            return [*rest[:other], *run, *rest[other:]]
        case 3:
            return [*before, *tokens[other : other + long], *after]
        case 4:
            return [*before, new, *run, *after]
    return [*before, new, *run[1:], *after]
