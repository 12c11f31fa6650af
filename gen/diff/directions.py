# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be told of two values of a key without judging: earlier, narrowed, silenced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen.diff.occasions import SEPARATOR, UNSENT
from gen.model import Trigger
from gen.release import Release

if TYPE_CHECKING:
    from collections.abc import Callable

# Texts of MODULE_LICENSE that the kernel takes for the same.
_SAME_LICENCE = {"GPL", "GPL v2"}
# Of a driver whose probe fails with every device that it is tried with.
REFUSES = "refuses every device"
# Of a store that a mask outside the capability changes; what C does besides stands behind it.
ANYTHING = "anything"
# Of a store: the masks within its bounds that it does not take.
NOTHING = "nothing within its bounds"
# When a sys-off handler is called: before devices are shut down, or as the last thing.
EARLY, LATE = "before devices are shut down", "last"
# Of an attribute that no device has.
EVERY = "every device"
# Of a mask that is bounded by, or starts as, what the driver knows, whatever the device takes.
KNOWN = "the known events"
# What lets user space of any licence include a header.
_NOTE = " WITH Linux-syscall-note"
_LEVELS = {"removed": 0, "obsolete": 1, "testing": 2, "stable": 3}


def direction(kind: str, key: str, old: str, new: str) -> str:
    """What can be told of two values of a key; nothing for most keys."""
    if (kind, key) == ("kconfig", "type"):
        return f"to-{new}"
    own = _OWN.get((kind, key)) or _OWN.get(("*", key))
    if own is not None:
        return own(old, new)
    if key == "module-license" and {old, new} == _SAME_LICENCE:
        return "respelled"
    if key == "attributes":
        return {old: "appeared", new: "vanished"}.get("not shown", "")
    last = key.rpartition(".")[2]
    if last not in _DIRECTIONS:
        return ""
    up, down, up_word, down_word = *_RANKS[last](old, new), *_DIRECTIONS[last]
    return up_word if up > down else down_word


def _occasion(old: str, new: str) -> str:
    """Whether an event is sent no more or at last, and whether that is on a restart."""
    words, was, now = [], old.split(SEPARATOR), new.split(SEPARATOR)
    if (old in UNSENT) != (new in UNSENT):
        words.append("silenced" if new in UNSENT else "voiced")
    if (Trigger.RESTART in was) != (Trigger.RESTART in now):
        words.append("to-restart" if Trigger.RESTART in now else "from-restart")
    return "-".join(words)


def _user_licence(old: str, new: str) -> str:
    """Whether user space may include a header no more or at last, and whether all else is equal."""
    bare = {text.removesuffix(_NOTE) for text in (old, new)}
    if old.endswith(_NOTE) == new.endswith(_NOTE):
        return ""
    note = "note-dropped" if old.endswith(_NOTE) else "note-added"
    return note if len(bare) == 1 else f"relicensed-{note}"


def _aliases(_old: str, new: str) -> str:
    """Whether aliases are made of an id at last or no more."""
    return "alias-gone" if new == "no" else "alias-made"


def _probing(_old: str, new: str) -> str:
    """Whether a driver takes devices at last or no more."""
    return "refusing" if new == REFUSES else "accepting"


def _taking(_old: str, new: str) -> str:
    """Whether a store takes at last what it refused, or refuses something else."""
    return "accepting" if new == NOTHING else "refusing"


def _bound(old: str, new: str) -> str:
    """Whether a stored mask is bounded at last or no more; else only the answer differs."""
    was, now = (_WIDTHS.get(text.split(SEPARATOR)[0], 0) for text in (old, new))
    return "answer" if was == now else "widened" if now > was else "narrowed"


# How wide a bound of a stored mask is; the capability is 0.
_WIDTHS = {KNOWN: 1, ANYTHING: 2}
# Keys of one kind of item, `*` for all, that have directions of their own.
_OWN: dict[tuple[str, str], Callable[[str, str], str]] = {
    ("event", "trigger"): _occasion,
    ("uapi", "license"): _user_licence,
    ("attribute", "store.within"): _bound,
    ("attribute", "store.refuses"): _taking,
    ("*", "autoload"): _aliases,
    ("*", "probe"): _probing,
}
# How the values of a key are ordered, as (new, old), and the words for more and for less.
_RANKS: dict[str, Callable[[str, str], tuple[Any, Any]]] = {
    "since": lambda old, new: (Release.parse(new), Release.parse(old)),
    # Whoever loses a right is narrowed, whatever others gain.
    "mode": lambda old, new: (0 if int(old, 8) & ~int(new, 8) else 2, 1),
    "access": lambda _old, new: (2 if new == "read-write" else 0, 1),
    "abi": lambda old, new: (_LEVELS[new], _LEVELS[old]),
    "length": lambda old, new: (int(new), int(old)),
}
_DIRECTIONS = {
    "since": ("later", "earlier"),
    "mode": ("widened", "narrowed"),
    "access": ("widened", "narrowed"),
    "abi": ("raised", "lowered"),
    "length": ("longer", "shorter"),
}
