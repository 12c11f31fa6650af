# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about whether an event is sent, and to which devices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.mutants import roles
from tests.mutants.operators import Family, operator
from tests.mutants.text import Place, walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutants.text import Change, Driver

FACTS = Family.FACTS
UNTOLD = "an event that is not written has no place but the hook that should send it"


def _write(driver: Driver) -> Place:
    return driver.calls(roles.WRITE)[0]


def _gate(driver: Driver) -> Place:
    """The `if` around the write."""
    found = _write(driver).up("if_statement")
    if found is None:
        raise ValueError("the write has no condition")
    return found


def _condition(driver: Driver) -> Place:
    inner = _gate(driver).field("condition")
    return Place(inner.file, inner.node.named_children[0])


def _operands(place: Place) -> list[str]:
    return [part.strip() for part in re.split(r"&(?![^()]*\))", str(place))]


@operator("gate-lacks-operand", FACTS, "SPEC009 SPEC006 SPEC010 RUN301", equivalent={
    "mainline[-.0-9]*:.*capability.*": "the enabled mask is always within the capability: probe "
    "and store see to it, so the second test of the capability decides nothing",
})  # fmt: skip
def _gate_lacks(driver: Driver) -> Iterable[Change]:
    """An event goes out that the user disabled, or that was not asked for."""
    place = _condition(driver)
    parts = _operands(place)
    for index, part in enumerate(parts):
        rest = " & ".join(parts[:index] + parts[index + 1 :])
        yield place.replace(rest, re.sub(r"\W+", "-", part).strip("-"))


@operator("gate-dropped", FACTS, "SPEC009 SPEC006 SPEC010 RUN301")
def _gate_dropped(driver: Driver) -> Iterable[Change]:
    """Events are sent whether or not they are enabled."""
    gate = _gate(driver)
    yield gate.replace(str(_write(driver).statement))


@operator("gate-inverted", FACTS, "SPEC009 SPEC006 SPEC010 RUN301")
def _gate_inverted(driver: Driver) -> Iterable[Change]:
    """Exactly the disabled events are sent."""
    place = _condition(driver)
    yield place.replace(f"!({place})")


@operator("gate-logical", FACTS, "SPEC009 SPEC006 SPEC010 RUN301")
def _gate_logical(driver: Driver) -> Iterable[Change]:
    """`&&` for `&`: any enabled event lets all of them through."""
    place = _condition(driver)
    parts = _operands(place)
    yield place.replace(" && ".join(parts))


@operator("gate-with-or", FACTS, "SPEC009 SPEC006 SPEC010 RUN301")
def _gate_or(driver: Driver) -> Iterable[Change]:
    """`|` for `&`: always true."""
    place = _condition(driver)
    parts = _operands(place)
    yield place.replace(f"{' & '.join(parts[:-1])} | {parts[-1]}")


@operator("gate-tests-capability", FACTS, "SPEC009 RUN301", absent={
    "mainline": "tests both masks", "mainline-6.1": "tests both masks",
})  # fmt: skip
def _gate_capability(driver: Driver) -> Iterable[Change]:
    """What the user wrote into the attribute has no effect."""
    place = _condition(driver)
    for part in _operands(place):
        if "->" in part:
            yield place.replace(str(place).replace(part, "pi->capability"))


@operator("nothing-written", FACTS, "SPEC006 SPEC009 RUN301", elsewhere=UNTOLD)
def _nothing_written(driver: Driver) -> Iterable[Change]:
    """The host hears nothing."""
    yield _write(driver).statement.replace(";")


@operator("mask-written", FACTS, "SPEC006 SPEC009 SPEC010 RUN301")
def _mask_written(driver: Driver) -> Iterable[Change]:
    """All enabled bits are written, and the host takes the most severe."""
    write = _write(driver)
    event = write.arguments[0]
    parts = [part for part in _operands(_condition(driver)) if part != str(event)]
    yield event.replace(parts[-1])


@operator("constant-written", FACTS, "SPEC006 SPEC009 RUN301")
def _constant_written(driver: Driver) -> Iterable[Change]:
    """Every event looks the same to the host."""
    event = _write(driver).arguments[0]
    yield event.replace("1", "1")
    yield event.replace("0", "0")


@operator("written-twice", FACTS, "SPEC006 SPEC009 RUN301")
def _written_twice(driver: Driver) -> Iterable[Change]:
    """A second write without braces, so outside the condition."""
    statement = _write(driver).statement
    yield statement.after(str(statement))


@operator("first-device-only", FACTS, "SPEC006 RUN301", elsewhere=UNTOLD)
def _first_device(driver: Driver) -> Iterable[Change]:
    """Only one of several devices tells its host."""
    gate = _gate(driver)
    yield gate.after("break;", "break")


@operator("wrong-capability-source", FACTS, "SPEC007 SPEC008 SPEC010 RUN301 RUN303")
def _enabled_starts(driver: Driver) -> Iterable[Change]:
    """The enabled mask does not start as the capability: too few events are on, or too many."""
    for place in driver.nodes("assignment_expression"):
        if place.function == roles.attach(driver) and re.match(r"\w+->events\b", str(place)):
            right = place.field("right")
            yield right.replace("0", "zero")
            yield right.replace("~0", "ones")
            yield right.replace("1", "one")


def _test_of_event(driver: Driver) -> list[Place]:
    """Where the updater tests an event."""
    name = roles.updater(driver)
    around = driver.functions().get(name or "")
    if around is None:
        return []
    return [
        Place(around.file, node)
        for node in walk(around.node)
        if node.type == "identifier"
        and around.file.of(node).isupper()
        and node.parent is not None
        and node.parent.type == "binary_expression"
    ]


@operator("power-off-tests-other-event", FACTS, "SPEC006 RUN301 RUN308", elsewhere=UNTOLD,
          absent={"mainline-6.1": "has no power-off event"})  # fmt: skip
def _other_event(driver: Driver) -> Iterable[Change]:
    """The handler is registered for the wrong event."""
    sent = next(
        str(call.arguments[0])
        for call in driver.calls(roles.sender(driver))
        if call.function == roles.panic_callback(driver)
    )
    match = re.search(r"\b([A-Z_0-9]*PANIC[A-Z_0-9]*)$", sent)
    for place in _test_of_event(driver):
        yield place.replace(match[1] if match else _first_event(driver))


def _first_event(driver: Driver) -> str:
    around = driver.functions()[roles.panic_callback(driver)]
    match = re.search(r"= (\w+);", str(around))
    return match[1] if match else "1"


@operator("power-off-test-inverted", FACTS, "SPEC006 RUN301 RUN308", elsewhere=UNTOLD,
          absent={"mainline-6.1": "has no power-off event"})  # fmt: skip
def _test_inverted(driver: Driver) -> Iterable[Change]:
    """The handler is registered when nobody wants it, and not when somebody does."""
    for place in _test_of_event(driver):
        around = place.up("binary_expression")
        if around is not None:
            yield around.replace(f"!({around})")


@operator("power-off-not-updated", FACTS, "KERN112 RUN301 RUN308 RUN304",
          elsewhere="a handler that nothing unregisters is told where it is registered",
          absent={"mainline-6.1": "has no power-off event"})  # fmt: skip
def _not_updated(driver: Driver) -> Iterable[Change]:
    """The handler stays when nobody wants it, or is missing though somebody does."""
    name = roles.updater(driver)
    if name:
        for call in driver.calls(name):
            yield call.statement.drop(call.function)
