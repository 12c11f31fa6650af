# SPDX-License-Identifier: GPL-2.0-or-later
"""sysfs attributes against the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.match import anchor, core
from checks.rule import Found, NotApplicable, Unknown, check
from gen.diagnostics import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.facts import Call, Object, Value
    from checks.rule import Context, Word
    from gen.model import Attribute

ATTRIBUTE = "struct device_attribute"
LIST = "struct attribute *"
GROUP = "struct attribute_group"


def _objects(context: Context) -> list[Object]:
    return context.facts.objects(ATTRIBUTE)


def _name(item: Object) -> Value | None:
    return item.fields.get("attr.name")


def _pairs(context: Context) -> Iterator[tuple[Attribute, Object]]:
    """The spec's attributes that the driver has."""
    known = {name.text: item for item in _objects(context) if (name := _name(item))}
    for attribute in context.device.sysfs:
        if attribute.name in known:
            yield attribute, known[attribute.name]


def _nothing(context: Context) -> NotApplicable | None:
    if any(True for _ in _pairs(context)):
        return None
    return NotApplicable("none of the spec's attributes is in the given files")


@check("SPEC016")
def check_names(context: Context) -> Iterator[Word]:
    """The driver has the spec's attributes, all of them listed, and no other."""
    items, wanted = _objects(context), {item.name: item for item in context.device.sysfs}
    if core(context) is None and not items:
        yield NotApplicable("no attribute in the given files")
        return
    arrays = [array for array in context.facts.objects(LIST) if array.array]
    listed = {entry.fields[""].name for array in arrays for entry in array.entries
              if "" in entry.fields}  # fmt: skip
    seen, wrong = set(), []
    for item in items:
        name = _name(item)
        if name is None or name.text is None:
            yield Unknown(f"what {item.name} is called is not known", item.span)
        elif name.text not in wanted:
            wrong.append((name.text, name))
        else:
            seen.add(name.text)
            if item.name not in listed:
                message = f"the attribute '{name.text}' is in no attribute list, so nobody sees it"
                yield Found(message, name.span, wanted[name.text].at["name"], absent=True)
    for group in context.facts.objects(GROUP):
        directory = group.fields.get("name")
        if directory is not None and directory.text:
            message = f"this moves the attributes into a directory '{directory.text}'"
            yield Found(message, directory.span, context.device.at["sysfs"])
    missing = [item for item in context.device.sysfs if item.name not in seen]
    for text, name in wrong:
        spec = missing[0].at["name"] if missing else None
        message = f"the spec has no attribute '{text}'"
        yield Found(message, name.span, spec, did_you_mean(text, wanted))
    for attribute in missing[len(wrong) :]:
        message = f"no attribute '{attribute.name}'"
        yield Found(message, anchor(context), attribute.at["name"], absent=True)


@check("SPEC017")
def check_modes(context: Context) -> Iterator[Word]:
    """An attribute has the spec's mode, and the functions that its mode calls for."""
    for attribute, item in _pairs(context):
        mode = item.fields.get("attr.mode")
        number = mode.number if mode else 0
        span = mode.span if mode else item.span
        if number is None:
            yield Unknown(f"the mode of '{attribute.name}' is not known", span)
        elif number != attribute.mode:
            message = (
                f"'{attribute.name}' has mode {number:04o}, the spec says {attribute.mode:04o}"
            )
            yield Found(message, span, attribute.at["mode"])
    if (nothing := _nothing(context)) is not None:
        yield nothing


def _function(item: Object, member: str) -> str | None:
    value = item.callback(member)
    return value.name if value and value.name != "NULL" else None


def _calls(context: Context, function: str, parameter: str) -> list[Call]:
    """The calls in a function of callees that have a parameter of this name."""
    return [
        call
        for call in context.facts.calls()
        if call.function == function and parameter in call.named
    ]


@check("SPEC018")
def check_formats(context: Context) -> Iterator[Word]:
    """An attribute is shown in the spec's format."""
    for attribute, item in _pairs(context):
        show = _function(item, "show")
        if show is None:
            message = f"'{attribute.name}' cannot be read: it has no show function"
            yield Found(message, item.span, attribute.at["shows"])
            continue
        calls = [c for c in _calls(context, show, "fmt") if "buf" in c.named]
        if not calls:
            yield Unknown(f"how {show} formats '{attribute.name}' is not known", item.span)
        if any("at" in call.named for call in calls):
            yield from _put_together(attribute, calls)
            continue
        for call in calls:
            yield from _format(attribute, call.named["fmt"])
    if (nothing := _nothing(context)) is not None:
        yield nothing


def _format(attribute: Attribute, value: Value) -> Iterator[Word]:
    if value.text is None:
        yield Unknown("this format is not a literal", value.span)
    elif value.text != attribute.format:
        message = f"'{attribute.name}' is shown in another format than the spec's"
        yield Found(message, value.span, attribute.at["format"])


def _put_together(attribute: Attribute, calls: list[Call]) -> Iterator[Word]:
    """A text of which each call says where its part begins."""
    first, *others = calls
    at, texts = first.named.get("at"), [call.named["fmt"].text for call in calls]
    if at is not None and at.number:
        message = f"'{attribute.name}' is shown from byte {at.number} on"
        yield Found(message, at.span, attribute.at["format"])
    elif not others:
        yield from _format(attribute, first.named["fmt"])
    elif None in texts or "".join(text or "" for text in texts) != attribute.format:
        why = f"what these calls make of '{attribute.name}' together is not known"
        yield Unknown(why, first.span)


@check("SPEC019")
def check_stores(context: Context) -> Iterator[Word]:
    """A written attribute is parsed as a number in the spec's base."""
    found = False
    for attribute, item in _pairs(context):
        if attribute.store is None:
            continue
        found = True
        store = _function(item, "store")
        if store is None:
            message = f"'{attribute.name}' cannot be written: it has no store function"
            yield Found(message, item.span, attribute.at["store"])
            continue
        calls = _calls(context, store, "base")
        if not calls:
            yield Unknown(f"how {store} parses '{attribute.name}' is not known", item.span)
        for call in calls:
            value = call.named["base"]
            if value.number is None:
                yield Unknown(f"what '{value.written}' is worth is not known", value.span)
            elif value.number != attribute.store.base:
                message = (
                    f"'{attribute.name}' is parsed in base {value.number}, "
                    f"the spec says {attribute.store.base}"
                )
                yield Found(message, value.span, attribute.store.at["base"])
    if not found:
        yield NotApplicable("no writable attribute of the spec in the given files")
