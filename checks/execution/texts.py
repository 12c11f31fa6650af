# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers from text and text from numbers, as the kernel's lib/kstrtox.c and lib/vsprintf.c do."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from checks.execution.state import Obj

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.world import World

EINVAL, ERANGE, E2BIG = 22, 34, 7
PAGE = 4096
# Function: bits of the result and whether it is signed.
_KSTRTO = {
    "kstrtouint": (32, False), "kstrtoint": (32, True), "kstrtoul": (64, False),
    "kstrtol": (64, True), "kstrtoull": (64, False), "kstrtoll": (64, True),
    "kstrtou8": (8, False), "kstrtou16": (16, False), "kstrtou32": (32, False),
    "kstrtou64": (64, False), "kstrtos8": (8, True), "kstrtos16": (16, True),
}  # fmt: skip
_FORMAT = re.compile(r"%([-+ #0]*+)(\d*+)(?:\.(\d++))?(hh|h|ll|l|z|j|t)?([diuxXosc%])")
# No driver of this class makes a longer text at once.
MAX_TEXT = 16 * PAGE
_WIDEST = 64  # bits of the number that is read, whatever becomes of it
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def parse(text: str, base: int, bits: int, signed: bool) -> int | str | None:
    """What kstrto*() makes of a text: a number, None for a range error, "" for no number."""
    negative = signed and text.startswith("-")
    rest = text[1:] if negative or text.startswith("+") else text
    if base == 0:
        hexadecimal = re.match(r"0[xX][0-9a-fA-F]", rest)
        base = 16 if hexadecimal else 8 if rest.startswith("0") else 10
    if base == 16 and rest[:2].lower() == "0x":  # noqa: PLR2004 (hexadecimal)
        rest = rest[2:]
    digits = rest.removesuffix("\n").lower()
    read = _leading(digits, base)
    if read and int(read, base) >> _WIDEST:
        return None  # the kernel tells of this before it looks at what follows
    if not read or read != digits:
        return ""
    number = -int(digits, base) if negative else int(digits, base)
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    return number if low <= number < high else None


def _leading(text: str, base: int) -> str:
    """The digits that a text begins with."""
    stop = next((n for n, char in enumerate(text) if char not in _DIGITS[:base]), len(text))
    return text[:stop]


def as_text(form: str, given: list[Any], string: Callable[[Any], str]) -> str | None:
    """What sprintf() makes of a format; None if it has something that is not modelled."""
    values = iter(given)

    def one(match: re.Match[str]) -> str:
        flags, width, precision, size, kind = match.groups()
        if kind == "%":
            return "%"
        value = next(values)
        if max(int(width or 0), int(precision or 0)) > PAGE:
            raise ValueError("a format wider than a page")
        if kind == "s":
            text = string(value)
            return f"{text[: int(precision)] if precision else text:>{width or 0}}"
        if kind == "c":
            return chr(value & 0xFF)
        bits = {"hh": 8, "h": 16, "l": 64, "ll": 64, "z": 64, "j": 64, "t": 64}.get(size or "", 32)
        value &= (1 << bits) - 1
        if kind in "di" and value >> (bits - 1):
            value -= 1 << bits
        shown = f"%{flags}{width}{'.' + precision if precision else ''}{kind.replace('u', 'd')}"
        if "#" in flags and kind in "xX" and value == 0:
            shown = shown.replace("#", "")
        return str(shown % value)

    made, length, end = [], 0, 0
    for match in _FORMAT.finditer(form):
        made += [form[end : match.start()], one(match)]
        length, end = length + len(made[-1]), match.end()
        if length > MAX_TEXT:
            raise ValueError("a text of more than some pages")
    return None if "%" in _FORMAT.sub("", form) else "".join([*made, form[end:]])


class Texts:
    """The functions for numbers and text."""

    def __init__(self, world: World) -> None:
        self._world = world

    def models(self) -> dict[str, Callable[..., Any]]:
        """The functions by name."""
        found: dict[str, Callable[..., Any]] = {
            "sysfs_emit": self._sysfs_emit,
            "sprintf": self._sprintf,
            "snprintf": self._snprintf,
            "scnprintf": self._scnprintf,
            "kstrtobool": self._bool,
            "sscanf": self._sscanf,
            "strcmp": self._strcmp,
            "memset": self._memset,
            "strncmp": self._strncmp,
            "strscpy": self._strscpy,
            "strcpy": self._strcpy,
            "strcat": lambda to, more: self._strcpy(to, more, len(self._world.text(to))),
            "memcpy": self._memcpy,
            "sysfs_emit_at": self._sysfs_emit_at,
            "strlen": lambda pointer: len(self._world.text(pointer)),
        }
        found |= {name: partial(self._number, *how) for name, how in _KSTRTO.items()}
        found |= dict.fromkeys(("simple_strtoul", "simple_strtoull"), self._simple)
        found["simple_strtol"] = self._simple_signed
        return found

    def _number(self, bits: int, signed: bool, text: Any, base: int, result: Any) -> int:
        found = parse(self._world.text(text), base, bits, signed)
        if found is None:
            return -ERANGE
        if isinstance(found, str):
            return -EINVAL
        obj = self._world.check(result, "writes to")[0]
        if obj.kind == "stack" and obj.size is not None and obj.size * 8 != bits:
            message = f"writes {bits} bits to {obj.name}, which has {obj.size * 8}"
            raise self._world.defect("RUN306", message)
        self._world.store(result, found)
        return 0

    def _simple(self, text: Any, end: Any, base: int) -> int:
        """What the functions that refuse nothing make of a text: its first digits, or 0."""
        whole = self._world.text(text)
        if base == 0:
            base = 16 if whole[:2].lower() == "0x" else 8 if whole.startswith("0") else 10
        start = 2 if base == 16 and whole[:2].lower() == "0x" else 0  # noqa: PLR2004 (hexadecimal)
        stop = start + len(_leading(whole[start:].lower(), base))
        if end:
            self._world.store(end, (text[0], text[1] + stop))
        return int(whole[start:stop] or "0", base) & ((1 << 64) - 1)

    def _simple_signed(self, text: Any, end: Any, base: int) -> int:
        """The same, with a minus before it if there is one."""
        if not self._world.text(text).startswith("-"):
            found = self._simple(text, end, base)
        else:
            found = -self._simple((text[0], text[1] + 1), end, base)
        found &= (1 << 64) - 1
        return found - (1 << 64) if found >> 63 else found

    def _sscanf(self, text: Any, form: Any, *results: Any) -> int:
        """One number, after white space and before whatever follows."""
        kinds = {
            "%x": (r"(?:0[xX])?[0-9a-fA-F]+", 16),
            "%u": ("[0-9]+", 10),
            "%d": ("[-+]?[0-9]+", 10),
        }
        form = self._world.text(form).strip()
        if form not in kinds or len(results) != 1:
            raise self._world.unknown("this sscanf() is not modelled")
        pattern, base = kinds[form]
        match = re.match(rf"\s*({pattern})", self._world.text(text))
        if match is None:
            return 0
        self._world.store(results[0], int(match[1], base) & 0xFFFFFFFF)
        return 1

    def _bool(self, text: Any, result: Any) -> int:
        word = self._world.text(text).lower()
        value = 1 if re.match("[yt1]|on", word) else 0 if re.match("[nf0]|of", word) else None
        if value is None:
            return -EINVAL
        self._world.store(result, value)
        return 0

    def _format(self, form: Any, given: tuple[Any, ...]) -> str:
        try:
            text = as_text(self._world.text(form), list(given), self._world.text)
        except (StopIteration, RuntimeError, TypeError, ValueError):
            text = None
        self._world.spend(len(text or ""))
        if text is None:
            raise self._world.unknown("what this format makes is not modelled")
        return text

    def _write(self, buffer: Any, text: str) -> None:
        world = self._world
        world.spend(len(text))
        obj, offset = world.check(buffer, "writes to")
        if isinstance(obj.data, str) and offset == 0:
            world.put(obj.cells, "text", text)
            return
        for number, char in enumerate([*text, "\0"]):
            world.store((obj, offset + number), ord(char) if char != "\0" else 0)

    def _sysfs_emit(self, buffer: Any, form: Any, *given: Any) -> int:
        text = self._format(form, given)[: PAGE - 1]
        self._page(buffer, "sysfs_emit()")
        self._write(buffer, text)
        return len(text)

    def _sysfs_emit_at(self, buffer: Any, at: Any, form: Any, *given: Any) -> int:
        obj = self._page(buffer, "sysfs_emit_at()")
        if at.__class__ is not int:
            raise self._world.unknown("where this sysfs_emit_at() writes is not known")
        if not 0 <= at < PAGE:
            message = f"sysfs_emit_at() writes nothing at {at}: it warns"
            raise self._world.defect("RUN306", message)
        text = self._format(form, given)[: PAGE - 1 - at]
        # The page is of zeros at first.
        self._write(buffer, obj.cells.get("text", "")[:at].ljust(at, "\0") + text)
        return len(text)

    def _page(self, buffer: Any, name: str) -> Obj:
        """The page that sysfs handed over, which those functions write to from its start only."""
        obj, offset = self._world.check(buffer, "writes to")
        if not isinstance(obj.data, str):
            raise self._world.defect("RUN306", f"{name} writes to what is no sysfs buffer")
        if offset:
            message = f"{name} writes nothing to the middle of a page: it warns"
            raise self._world.defect("RUN306", message)
        return obj

    def _sprintf(self, buffer: Any, form: Any, *given: Any) -> int:
        text = self._format(form, given)
        self._write(buffer, text)
        return len(text)

    def _snprintf(self, buffer: Any, size: int, form: Any, *given: Any) -> int:
        text = self._format(form, given)
        self._write(buffer, text[: max(size - 1, 0)])
        return len(text)

    def _scnprintf(self, buffer: Any, size: int, form: Any, *given: Any) -> int:
        text = self._format(form, given)[: max(size - 1, 0)]
        self._write(buffer, text)
        return len(text)

    def _strcmp(self, left: Any, right: Any) -> int:
        a, b = self._world.text(left), self._world.text(right)
        return (a > b) - (a < b)

    def _strncmp(self, left: Any, right: Any, most: int) -> int:
        a, b = self._world.text(left)[:most], self._world.text(right)[:most]
        return (a > b) - (a < b)

    def _strcpy(self, to: Any, source: Any, start: int = 0) -> Any:
        self._write(
            (to[0], to[1] + start) if to.__class__ is tuple else to, self._world.text(source)
        )
        return to

    def _strscpy(self, to: Any, source: Any, size: int) -> int:
        text = self._world.text(source)
        self._write(to, text[: max(size - 1, 0)])
        return len(text) if len(text) < size else -E2BIG

    def _memcpy(self, to: Any, source: Any, size: int) -> Any:
        """What has been put into the one becomes what the other has."""
        world = self._world
        (obj, start), into = world.check(source, "reads"), world.check(to, "writes to")
        world.spend(len(obj.cells))
        for offset, value in list(obj.cells.items()):
            if offset.__class__ is int and start <= offset < start + size:
                world.store((into[0], into[1] + offset - start), value)
        return to

    def _memset(self, pointer: Any, value: int, size: int) -> Any:
        obj, offset = self._world.check(pointer, "writes to")
        if value or obj.size is None or offset or size < obj.size:
            raise self._world.unknown("this memset() is not modelled")
        self._world.spend(len(obj.cells))
        for key in [key for key in obj.cells if isinstance(key, int)]:
            self._world.remove(obj.cells, key)
        self._world.put(obj.cells, "zero", value=True)
        return pointer


def sysfs_buffer() -> tuple[Obj, int]:
    """A page as the kernel hands it to show()."""
    return Obj("stack", "the sysfs buffer", PAGE, data="page"), 0
