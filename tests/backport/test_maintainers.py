# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether MAINTAINERS needs an update, and which."""

from __future__ import annotations

import pytest

from gen.backport.maintainers import Pattern, answer
from gen.backport.records import BackportError

HOME = "drivers/misc/vmbell"
FILE = f"{HOME}/vmbell.c"
NO_ENTRY = (
    "has no entry of this driver's own, and gets none: an entry names a maintainer, who has to say "
    "so"
)
GENERAL = """\
CHAR and MISC DRIVERS
M:\tSomebody <somebody@example.org>
F:\tdrivers/char/
F:\tdrivers/misc/
X:\tdrivers/misc/other/

THE REST
F:\t*
F:\t*/
"""


@pytest.mark.parametrize(
    ("pattern", "path", "covers"),
    [
        ("drivers/misc/", FILE, True),
        ("drivers/misc/*", FILE, False),
        ("drivers/misc/*", "drivers/misc/vmbell.c", True),
        ("drivers/misc/*/*.c", FILE, True),
        ("drivers/misc/vmbel?/", FILE, True),
        ("drivers/misc/vmbell.c", "drivers/misc/vmbellxc", False),
        ("misc/", FILE, False),
        ("drivers/*/vm*ll/*.c", FILE, True),
        (f"{'*' * 30}x", FILE, False),
        (f"{'*a' * 30}x", f"{'a' * 200}", False),
    ],
)
def test_a_pattern_covers_what_get_maintainer_says(pattern: str, path: str, covers: bool) -> None:
    assert Pattern("F", pattern, 1).covers(path) is covers


def test_without_an_entry_of_its_own_the_line_above_the_driver_is_told() -> None:
    found = answer(GENERAL, HOME, [FILE, "Documentation/ABI/a", "drivers/misc/other/b.c"], [])
    assert found.text is None
    assert found.told == (
        f"line 4, F: drivers/misc/ of 'CHAR and MISC DRIVERS', covers {FILE}",
        "no entry but the last, for all files, covers 2 new files",
        NO_ENTRY,
    )


def test_what_another_s_entry_names_and_goes_is_told() -> None:
    text = f"BINDINGS\nF:\tDocumentation/old.txt\n\n{GENERAL}"
    found = answer(text, HOME, [FILE], ["Documentation/old.txt"])
    assert "line 2 of 'BINDINGS' names Documentation/old.txt, which goes; tell them" in found.told


def test_its_own_entry_is_kept_in_order_and_loses_what_goes() -> None:
    text = f"{GENERAL}\nVM BELL\nM:\tA <a@example.org>\nF:\tb\nF:\tdrivers/misc/vmbell.c\nF:\tz\n"
    added = [FILE, f"{HOME}/Kconfig", "a", "c"]
    found = answer(text, HOME, added, ["drivers/misc/vmbell.c"])
    assert found.text == (
        f"{GENERAL}\nVM BELL\nM:\tA <a@example.org>\nF:\ta\nF:\tb\nF:\tc\nF:\t{HOME}/\nF:\tz\n"
    )
    assert found.told[-1] == "'VM BELL' loses F: drivers/misc/vmbell.c"
    again = answer(found.text, HOME, added, [])
    assert (again.text, again.told[-1]) == (None, "needs no update")


def test_blanks_are_not_looked_at_again_and_again() -> None:
    text = f"NOBODY\nF:{' ' * 200_000}\n\n{GENERAL}"
    assert answer(text, HOME, [FILE], []).told[-1] == NO_ENTRY


def test_a_file_that_ends_early_is_no_answer() -> None:
    with pytest.raises(BackportError, match="the source is not whole"):
        answer(GENERAL.partition("THE REST")[0], HOME, [FILE], [])


def test_nothing_added_asks_nothing_and_no_file_is_told() -> None:
    assert answer(GENERAL, HOME, [], []).told == ()
    assert answer(None, HOME, [FILE], []).told[0].startswith("the tree has none")
