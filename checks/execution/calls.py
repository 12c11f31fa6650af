# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls: of the driver's own functions, of the modelled kernel's, and what only looks like one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.dialect import TAKE
from checks.execution.faults import UnknownError
from checks.execution.functions import Function
from checks.execution.layout import INT, ULONG, VOID, Func, Int, Ptr, Struct
from checks.execution.opaque import Opaque, truth
from checks.execution.strangers import NO_FACT, NO_MODEL, hand_over, stranger
from gen.api import Api, Range

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.execution.expressions import Expressions
    from checks.execution.layout import Type
    from checks.execution.places import Code, Frame
    from checks.execution.world import World


def call(on: Expressions, node: c_ast.FuncCall) -> tuple[Code, Type]:
    """Code for a call."""
    name = node.name.name if isinstance(node.name, c_ast.ID) else None
    special = _SPECIAL.get(name or "")
    if special is not None:
        return special(on, node)
    if name is not None and name.startswith("__model_list_more"):
        return on.more(node)
    if name is None or on.variable(name) is not None:
        code, type_ = on.typed(node.name)
        target = type_.to if isinstance(type_, Ptr) else type_
        return _indirect(on, node, code), target.returns if isinstance(target, Func) else INT
    function = on.program.function(on.unit, name)
    if function is not None:
        return _direct(on, node, function), function.returns
    return _named(on, node, name)


def _named(on: Expressions, node: c_ast.FuncCall, name: str) -> tuple[Code, Type]:
    """Code for a call of what no file of the driver defines."""
    api = on.program.facts.table.get(name)
    if api is None and name in on.program.models:
        api = Api(name, "function", {}, Range())
    if api is not None and api.kind in {"function", "macro"}:
        return _kernel(on, node, api), on.program.facts.returns(name)
    if on.program.object(on.unit, name) is not None:
        code, _ = on.typed(node.name)
        return _indirect(on, node, code), INT
    return stranger(on, node, NO_FACT), VOID


def _direct(on: Expressions, node: c_ast.FuncCall, function: Function) -> Code:
    codes = [on.value(item) for item in on.arguments(node)]
    calls, at = on.world.calls, on.at(node)

    def run(f: Frame) -> Any:
        given = [code(f) for code in codes]
        calls.append(at)
        result = function(*given)
        calls.pop()
        return result

    return run


def _indirect(on: Expressions, node: c_ast.FuncCall, code: Code) -> Code:
    typed = [on.typed(item) for item in on.arguments(node)]
    codes = [code for code, _ in typed]
    world, at = on.world, on.at(node)

    def run(f: Frame) -> Any:
        function = code(f)
        world.at = at
        if function.__class__ is Opaque:
            return _strange(world, function, [(item(f), type_) for item, type_ in typed])
        return invoke(world, function, *[item(f) for item in codes])

    return run


def _strange(world: World, function: Opaque, given: list[tuple[Any, Type]]) -> Opaque:
    """A call of a function that the kernel or nobody known has given a pointer to."""
    for value, type_ in given:
        hand_over(world, function.site, value, type_)
    return function.derive("()")


def invoke(world: Any, function: Any, *given: Any) -> Any:
    """Call through a pointer."""
    if isinstance(function, Opaque):
        raise function.unknown()
    if not isinstance(function, Function):
        raise world.defect("RUN306", "calls through a pointer that is no function of the driver")
    return function(*given)


def _kernel(on: Expressions, node: c_ast.FuncCall, api: Api) -> Code:
    """A call of a function that the facts know and, usually, a model stands for."""
    world, at, model = on.world, on.at(node), on.program.models.get(api.name)
    model = model or _implied_model(on, api)
    if model is None and not _harmless(on, api):
        return stranger(on, node, NO_MODEL, on.program.facts.returns(api.name))
    codes, flags = _given(on, node, api)
    sleeps, name = api.sleeps is True, api.name

    def run(f: Frame) -> Any:
        given = [code(f) for code in codes]
        world.at = at
        if sleeps:
            world.may_sleep(f"{name}()")
        if flags is not None:
            flags(f, 0)
        for value in given:
            if value.__class__ is Opaque:
                return _given_unknown(api, model, given, value)
        return model(*given) if model is not None else 0

    return run


def _given_unknown(api: Api, model: Any, given: list[Any], value: Opaque) -> Any:
    """A call with an argument of which nothing is known: some do not mind.

    Raises:
        UnknownError: the others cannot be gone on with.
    """
    if model is None or api.releases == "memory":
        return 0
    if "fmt" in api.parameters and given[0] is not value and api.parameters[0] == "dev":
        return model(*given)
    if api.name in _KEEP and given[0] is not value:
        return model(*given)
    if api.name in _ASK or api.name in _ELSEWHERE:
        return model(*given)
    raise value.unknown()


def _given(
    on: Expressions, node: c_ast.FuncCall, api: Api
) -> tuple[list[Code], Callable[[Frame, Any], Any] | None]:
    """The arguments of a call, and what puts the flags of a macro where it wants them."""
    codes, flags = [], None
    for number, item in enumerate(on.arguments(node)):
        by_name = api.kind == "macro" and number < len(api.parameters)
        if by_name and api.parameters[number] == "flags" and api.lock and api.acquires:
            flags = on.assign(on.place(item), node)
        elif not (api.name == "kfree_rcu" and number):
            codes.append(on.value(item))
    return codes, flags


def _implied_model(on: Expressions, api: Api) -> Callable[..., Any] | None:
    """The model of a function that follows from what the facts say of it."""
    if api.access is not None:
        model: Callable[..., Any] = on.program.models["access"](api)
        return model
    if _prints(on, api) and api.parameters[0] == "dev":
        return on.program.models["print"]
    if api.returns in api.parameters:
        return _handed_back(api.parameters.index(api.returns))
    return None


def _handed_back(number: int) -> Callable[..., Any]:
    """The model of a function that only returns one of its arguments."""
    return lambda *given: given[number]


def _prints(on: Expressions, api: Api) -> bool:
    """Whether a function prints what it is given."""
    return "fmt" in api.parameters and on.program.facts.returns(api.name) in {VOID, INT}


def _harmless(on: Expressions, api: Api) -> bool:
    """Whether a function without a model can be taken to do nothing that a driver notices."""
    plain = api.sleeps in {False, True} and api.fails == "never"
    books = api.acquires or api.releases or api.waits
    return plain and not books and (on.program.facts.returns(api.name) == VOID or _prints(on, api))


# What stores an argument, and what only looks at it.
_KEEP = frozenset({"dev_set_drvdata", "pci_set_drvdata", "platform_set_drvdata", "dev_err_probe"})
_ASK = frozenset({"IS_ERR", "IS_ERR_OR_NULL", "PTR_ERR", "ERR_PTR", "PTR_ERR_OR_ZERO"})
# What may be about a directory, a device or a module of somebody else's.
_ELSEWHERE = frozenset(
    {
        "device_create_file",
        "device_remove_file",
        "sysfs_create_group",
        "sysfs_remove_group",
        "kobject_create_and_add",
        "kobject_get",
        "kobject_put",
        "of_node_get",
        "try_module_get",
    }
)

# What is written like a call.


def _read_once(on: Expressions, node: c_ast.FuncCall) -> tuple[Code, Type]:
    return on.typed(node.args.exprs[0])


def _write_once(on: Expressions, node: c_ast.FuncCall) -> tuple[Code, Type]:
    return on.typed(c_ast.Assignment("=", node.args.exprs[0], node.args.exprs[1], node.coord))


def _warn(on: Expressions, node: c_ast.FuncCall) -> tuple[Code, Type]:
    code = on.value(node.args.exprs[0])
    return (lambda f: int(bool(truth(code(f))))), INT


def _offsetof(on: Expressions, node: c_ast.FuncCall) -> tuple[Code, Type]:
    type_, member = node.args.exprs
    found: Type = on.unit.types.of(type_)
    offset = 0
    names: list[str] = []
    while isinstance(member, c_ast.StructRef):
        names.insert(0, member.field.name)
        member = member.name
    for name in [member.name, *names]:
        if not isinstance(found, Struct):
            raise UnknownError("this member is not understood")
        more, found = found.member(name)
        offset += more
    return (lambda _f: offset), ULONG


def _neighbour(on: Expressions, node: c_ast.FuncCall) -> tuple[Code, Type]:
    """The first or last link of a list, as a head has it."""
    link = "next" if node.name.name == "__model_list_head" else "prev"
    return on.typed(c_ast.StructRef(node.args.exprs[0], "->", c_ast.ID(link), node.coord))


def _take(on: Expressions, node: c_ast.FuncCall) -> tuple[Code, Type]:
    """no_free_ptr(): what a variable points to, which the variable does not any more."""
    variable = node.args.exprs[0]
    settle, place = on.settled(on.place(variable))
    value, type_ = on.fetch(variable, place)
    clear = on.assign(place, node)

    def run(f: Frame) -> Any:
        settle(f)
        found = value(f)
        clear(f, 0)
        return found

    return run, type_


def _builtin_constant(_on: Expressions, _node: c_ast.FuncCall) -> tuple[Code, Type]:
    return (lambda _f: 0), Int(32, True)  # noqa: FBT003 (signed)


_SPECIAL = {
    "READ_ONCE": _read_once,
    "rcu_dereference": _read_once,
    "WRITE_ONCE": _write_once,
    "rcu_assign_pointer": _write_once,
    "WARN_ON": _warn,
    "WARN_ON_ONCE": _warn,
    "offsetof": _offsetof,
    "__model_list_head": _neighbour,
    "__model_list_tail": _neighbour,
    TAKE: _take,
    "__builtin_constant_p": _builtin_constant,
}
