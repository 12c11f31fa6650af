# SPDX-License-Identifier: GPL-2.0-or-later
"""Hooks against the spec: the panic notifier and the sys-off handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.match import anchor, core, older
from checks.rule import Found, NotApplicable, Unknown, check
from gen.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.facts import Call, Value
    from checks.rule import Context, Word
    from gen.source import Span

MODES = {Trigger.POWER_OFF: "SYS_OFF_MODE_POWER_OFF", Trigger.RESTART: "SYS_OFF_MODE_RESTART"}
PANIC_CHAIN = "panic_notifier_list"


@check("SPEC025")
def check_notifier(context: Context) -> Iterator[Word]:
    """The panic notifier is registered, with the spec's priority."""
    device = context.device
    event = device.event_for(Trigger.PANIC) or device.event_for(Trigger.CRASH_KERNEL)
    if event is None or core(context) is None:
        yield NotApplicable("no event is sent on a panic, or the core file is not given")
        return
    calls = [
        call
        for call in context.facts.calls()
        if {"nb", "nh"} <= set(call.named) and call.named["nh"].name == PANIC_CHAIN
        and _acquires(context, call.name) == "notifier"
    ]  # fmt: skip
    if not calls:
        message, span = "no notifier is registered for panics", anchor(context)
        other = next((call for call in context.facts.calls() if "nb" in call.named
                      and "notifier" in str(_acquires(context, call.name))), None)  # fmt: skip
        if other is not None:
            message, span = f"{message}: this one goes to another chain", other.span
        yield Found(message, span, event.at["trigger"], absent=True)
    tree, hook = older(context), device.hooks.panic_notifier
    if not device.frontends and (tree is None or tree.priority is None):
        # Which priority a release of another layout had, nothing says.
        return
    wanted = tree.priority if tree else hook.priority if hook else None
    for call in calls:
        block = context.facts.object(call.named["nb"].name, call.file)
        if block is None:
            yield Unknown("the notifier block is not among the given files", call.span)
        else:
            priority = block.fields.get("priority")
            yield from _priority(context, priority, wanted, block.span, "panic_notifier")


def _acquires(context: Context, name: str) -> str | None:
    api = context.facts.kernel.table.get(name)
    return api.acquires if api else None


def _priority(
    context: Context, given: Value | None, wanted: int | str | None, at: Span, key: str
) -> Iterator[Word]:
    """Compare a priority with the spec's; one that is not given counts as 0."""
    worth = _number(context, wanted)
    number = given.number if given else 0
    span = given.span if given else at
    if worth is None or number is None:
        yield Unknown("what the priority is worth is not known", span)
    elif number != worth:
        written = given.written if given else "0, as none is given"
        source = "in this release it was" if older(context) else "the spec says"
        message = f"the priority is {written}; {source} {wanted if wanted is not None else 0}"
        if older(context):
            yield Found(message, span)
            return
        places = context.device.hooks.at
        spec = places[key] if key in places.keys else places[key.replace("_", "-")]
        yield Found(message, span, spec)


def _number(context: Context, wanted: int | str | None) -> int | None:
    if isinstance(wanted, str):
        api = context.facts.kernel.table.get(wanted)
        return api.value if api else None
    return wanted or 0


@check("SPEC027")
def check_sys_off(context: Context) -> Iterator[Word]:
    """A handler is registered for the spec's modes only, with the spec's priority."""
    wanted = {MODES[t]: context.device.event_for(t) for t in MODES}
    wanted = {mode: event for mode, event in wanted.items() if event is not None}
    calls = [c for c in context.facts.calls() if _acquires(context, c.name) == "sys-off"]
    if (not wanted and not calls) or core(context) is None:
        yield NotApplicable("no event is sent on power-off or restart")
        return
    seen = set()
    for call in calls:
        mode = _implied(context, call, "mode")
        seen.add(mode[0])
        if mode[0] not in wanted:
            if mode[2] is None:
                yield Unknown("the mode of this handler is not known", mode[1])
            else:
                yield from _wrong_mode(context, mode[1], wanted)
        elif "priority" in call.named:
            priority = call.named["priority"]
            yield from _priority(
                context, priority, _sys_off_priority(context), call.span, "sys_off"
            )
        else:
            implied = _implied(context, call, "priority")
            if implied[2] != _number(context, _sys_off_priority(context)):
                message = f"{call.name} registers with {implied[0]}"
                yield Found(message, call.callee, context.device.hooks.at["sys-off"])
    if not calls:
        for mode_name, event in wanted.items():
            message = f"no handler is registered for {mode_name}"
            yield Found(
                message, anchor(context), event.at["trigger"] if event else None, absent=True
            )


def _wrong_mode(context: Context, span: Span, wanted: Mapping[str, object]) -> Iterator[Word]:
    names = ", ".join(wanted) or "none"
    triggers = [event for event in context.device.events if event.trigger in MODES]
    spec = triggers[0].at["trigger"] if triggers else None
    yield Found(f"the spec has no event for this mode; its modes are: {names}", span, spec)


def _implied(context: Context, call: Call, key: str) -> tuple[str, Span, int | None]:
    """An argument's constant name, its place and its number, given or passed on by the callee."""
    api = context.facts.kernel.table.get(call.name)
    if key in call.named:
        value = call.named[key]
        return value.name or value.written, value.span, value.number
    name = api.implies.get(key, "") if api else ""
    known = context.facts.kernel.table.get(name)
    return name, call.callee, known.value if known else None


def _sys_off_priority(context: Context) -> int | str | None:
    """The priority that the spec gives to the sys-off handlers."""
    hook = context.device.hooks.sys_off
    return hook.priority if hook else None
