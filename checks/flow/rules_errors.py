# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about calls that fail: whether that is noticed, in the right way, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.flow.analysis import flow_check, place
from checks.flow.fallible import (
    INTEGERS,
    decides,
    examined,
    failed,
    needed,
    parses,
    signs_of,
)
from checks.flow.values import NEGATIVE, ZERO, mentions, sign
from checks.rule import Found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.flow.analysis import Flow
    from checks.flow.program import Function
    from checks.flow.trace import Event, Path, Trace
    from checks.flow.values import Value
    from checks.rule import Context, Word

_TELLS = {
    NEGATIVE: "a negative error number or an error pointer",
    ZERO: "NULL or zero",
}


def _results(flow: Flow, function: Function) -> dict[Value, tuple[Event, tuple[int, int]]]:
    """The results of the calls that may fail, with what tells failure and success."""
    found = {}
    for event in flow.traces[function].of("call"):
        signs = signs_of(flow, function, event)
        if signs is not None and event.result is not None:
            found[event.result] = (event, signs)
    return found


def _wrong_tests(flow: Flow, function: Function) -> Iterator[tuple[Event, Event, int]]:
    """Tests of a call's result that do not tell failure from success: test, call, failure."""
    results = _results(flow, function)
    for test in flow.traces[function].of("test"):
        value = test.values[0]
        subjects = [item for item in results if mentions(value, lambda v, item=item: v == item)]  # type: ignore[misc]
        for subject in subjects:
            event, signs = results[subject]
            known = dict(test.known).get(subject, signs[0] | signs[1])
            both = known & signs[0] and known & signs[1]
            plain = value[0] != "cmp" or "num" in {value[2][0], value[3][0]}
            if both and plain and value[0] != "and" and not decides(value, subject, signs):
                yield test, event, signs[0]


@flow_check("KERN117")
def wrong_test(flow: Flow, _context: Context) -> Iterator[Word]:
    """A result tested for what it never is."""
    for function in flow.traces:
        for test, event, failure in _wrong_tests(flow, function):
            message = (
                f"{event.name}() tells of failure by {_TELLS[failure]}: this test does not "
                "tell it from success"
            )
            yield Found(message, place(function, test.node))


@flow_check("KERN116")
def used_unchecked(flow: Flow, _context: Context) -> Iterator[Word]:
    """A pointer that a call may not have given is used."""
    for function, trace in flow.traces.items():
        wrong = {event.result for _, event, _ in _wrong_tests(flow, function)}
        results = _results(flow, function)
        for event in trace.of("deref"):
            base, known = event.values
            if base not in results or base in wrong:
                continue
            call, (failure, _) = results[base]
            if known[1] & failure:
                message = f"what {call.name}() returned is used here, and it may have failed"
                yield Found(message, place(function, event.node))
        yield from _kept(flow, function)


def _kept(flow: Flow, function: Function) -> Iterator[Word]:
    """Error pointers that are kept although a test has found what they are."""
    results = _results(flow, function)
    for write in flow.traces[function].of("write", "once-write"):
        value = write.values[0]
        api = flow.program.api(value[2]) if value in results else None
        if api is not None and api.fails == "err-ptr" and dict(write.known).get(value) == NEGATIVE:
            message = f"{value[2]}() has failed, but this keeps its error pointer"
            yield Found(message, place(function, write.node))


@flow_check("KERN118")
def dropped(flow: Flow, _context: Context) -> Iterator[Word]:
    """A result that has to be looked at and is not, on any path."""
    for function, trace in flow.traces.items():
        used = {event.values[0] for event in trace.of("deref")}
        used |= {event.result or () for _, event, _ in _wrong_tests(flow, function)}
        for event in trace.of("call"):
            if not needed(flow, function, event) or parses(flow, function, event):
                continue
            signs = signs_of(flow, function, event)
            paths = [path for path in trace.paths if event in path.state.history]
            if signs is None or event.result in used or _tested_elsewhere(flow, event, paths):
                continue
            if paths and not any(examined(path, event, signs) for path in paths):
                message = f"nobody looks at whether {event.name}() failed"
                yield Found(message, place(function, event.node))


def _tested_elsewhere(flow: Flow, event: Event, paths: list[Path]) -> bool:
    """Whether a result is kept somewhere and another function tests it there."""
    names = {
        item.name
        for path in paths
        for item in path.state.history
        if item.kind in {"write", "once-write"} and event.result in item.values
    }
    api = flow.api(event)
    kinds = {"is-err", "is-err-or-null", "or-zero"} if api and api.fails == "err-ptr" else None
    tested = {
        value[1]
        for trace in flow.traces.values()
        for test in trace.of("test")
        for value in _loads(test.values[0])
        if kinds is None or test.values[0][0] in kinds
    }
    return any(item.name in names for trace in flow.traces.values() for item in trace.of("read")
               if item.place in tested)  # fmt: skip


def _loads(value: object) -> Iterator[Value]:
    if isinstance(value, tuple) and value and value[0] == "load":
        yield value
    if isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from _loads(item)


@flow_check("KERN119")
def error_lost(flow: Flow, _context: Context) -> Iterator[Word]:
    """A path that knows of a failure and returns success, or a number that is none."""
    for function, trace in flow.traces.items():
        if function.returns not in INTEGERS or "show" in flow.roles.get(function, {}):
            continue
        for path in trace.paths:
            if path.node is None or path.value is None:
                continue
            message = _positive(flow, path) or _bare(flow, function, path)
            message = message or _success_after(flow, function, trace, path)
            if message:
                yield Found(message, place(function, path.node))
    yield from _inverted(flow)


def _positive(flow: Flow, path: Path) -> str | None:
    """What is wrong with a return of an error number without its minus sign."""
    expression = path.node.expr if isinstance(path.node, c_ast.Return) else None
    if isinstance(expression, c_ast.ID):
        api = flow.program.api(expression.name)
        if api is not None and api.kind == "constant" and "linux/errno.h" in api.headers:
            return f"error numbers are negative: this returns {expression.name}, which is positive"
    value = path.value or ("op", 0)
    if value[0] == "neg" and sign(path.state.signs, value[1]) == NEGATIVE:
        return "this turns a negative error number into a positive one"
    return None


def _bare(flow: Flow, function: Function, path: Path) -> str | None:
    """What is wrong with a number where the kernel expects the name of an error."""
    expression = path.node.expr if isinstance(path.node, c_ast.Return) else None
    told = set(flow.roles.get(function, {})) & {"probe", "init", "store"}
    if not told or not isinstance(expression, c_ast.UnaryOp) or expression.op != "-":
        return None
    if isinstance(expression.expr, c_ast.Constant):
        return f"-{expression.expr.value} stands for whatever error has that number (-1 is EPERM)"
    return None


def _success_after(flow: Flow, function: Function, trace: Trace, path: Path) -> str | None:
    """What is wrong with returning success where a call is known to have failed."""
    if path.value is None or sign(path.state.signs, path.value) & NEGATIVE:
        return None
    last = None
    for event in path.state.history:
        signs = signs_of(flow, function, event) if event.kind == "call" else None
        if signs is not None and needed(flow, function, event):
            last = (event, signs) if failed(path, event, signs) else None
    if last is None or parses(flow, function, last[0]):
        return None
    alike = [other for other in trace.paths if other.node is path.node]
    errors = any(
        other.value is not None and sign(other.state.signs, other.value) & NEGATIVE
        for other in trace.paths
    )
    expected = errors or set(flow.roles.get(function, {})) & {"probe", "init", "store"}
    if expected and all(failed(other, *last) for other in alike):
        return f"{last[0].name}() has failed, but this returns success"
    return None


def _inverted(flow: Flow) -> Iterator[Word]:
    """A test the wrong way round: success leaves at once, failure goes on."""
    for function, trace in flow.traces.items():
        for event in trace.of("call"):
            signs = signs_of(flow, function, event)
            if signs != (NEGATIVE, ZERO) or not needed(flow, function, event):
                continue
            if function.returns not in INTEGERS or parses(flow, function, event):
                continue
            paths = [path for path in trace.paths if event in path.state.history]
            good = [path for path in paths if not failed(path, event, signs)]
            bad = [path for path in paths if failed(path, event, signs)]
            ends = all(_last(path) == event and path.node is not None for path in good)
            if good and ends and any(_goes_on(flow, function, p, event) for p in bad):
                message = f"success of {event.name}() ends here, and its failure goes on"
                yield Found(message, place(function, good[0].node or event.node))


def _goes_on(flow: Flow, function: Function, path: Path, event: Event) -> bool:
    """Whether a path does more that may fail after a call, and may return success."""
    later = path.state.history[path.state.history.index(event) + 1 :]
    more = any(item.kind == "call" and signs_of(flow, function, item) for item in later)
    return more and path.value is not None and bool(sign(path.state.signs, path.value) & ZERO)


def _last(path: Path) -> Event | None:
    """The last call of a path."""
    return next((event for event in reversed(path.state.history) if event.kind == "call"), None)
