# SPDX-License-Identifier: GPL-2.0-or-later
"""C statements as Python closures. One returns None to go on, or a signal for what is around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from checks.execution.expressions import Expressions
from checks.execution.faults import UnknownError
from checks.execution.flow import (
    BREAK,
    CONTINUE,
    RETURN,
    Goto,
    addressed,
    cleaned,
    guarded_by,
    jumping,
    loop,
    sequence,
    switch,
)  # fmt: skip
from checks.execution.initial import initialise, length
from checks.execution.layout import Array, Func, Int, Ptr, Struct, array
from checks.execution.places import Variable
from checks.execution.state import UNDEFINED, Obj
from checks.flow.cfg import size

if TYPE_CHECKING:
    from checks.execution.flow import Statement
    from checks.execution.functions import Function
    from checks.execution.layout import Type
    from checks.execution.places import Code, Frame


class Statements(Expressions):
    """Compiles a function."""

    def function(self, function: Function) -> None:
        """Give a function its code."""
        node = function.node
        self.addressed = addressed(node.body)
        for decl in getattr(node.decl.type.args, "params", None) or []:
            type_ = self.unit.types.of(decl.type)
            if getattr(decl, "name", None):
                type_ = Ptr(type_.of) if isinstance(type_, Array) else type_
                variable = self.declare(decl.name, type_)
                wrap = type_.wrapper() if isinstance(type_, Int) else None
                function.parameters.append((variable, wrap))
        self.wrap = function.returns.wrapper() if isinstance(function.returns, Int) else None
        function.body = self.statement(node.body)
        function.slots = self.slots

    def declare(self, name: str, type_: Type) -> Variable:
        """A new local variable."""
        memory = name in self.addressed or isinstance(type_, (Array, Struct))
        variable = self.scopes[-1][name] = Variable(self.slots, type_, memory)
        self.slots += 1
        return variable

    def statement(self, node: c_ast.Node | None) -> Statement:
        """Compile one."""
        if node is None or isinstance(node, (c_ast.EmptyStatement, c_ast.Pragma, c_ast.Typedef)):
            return lambda _f: None
        method = getattr(self, f"_s_{type(node).__name__.lower()}", None)
        try:
            if method is not None:
                found: Statement = method(node)
                return found
            return self._ticking(node, self.value(node))
        except UnknownError as error:
            return self.unknown(node, error.why)

    def _ticking(self, node: c_ast.Node, code: Code) -> Statement:
        """A statement that is a step of the driver."""
        world, at, cost = self.world, self.at(node), size(node)

        def run(f: Frame) -> None:
            world.fuel -= cost
            if world.fuel < 0:
                world.at = at
                world.tick()
            code(f)

        return run

    def condition(self, node: c_ast.Node) -> Code:
        """A condition, which is a step too."""
        return self.stepping(node, self.asked(node, self.value(node)))

    def stepping(self, node: c_ast.Node, code: Code) -> Code:
        """A value whose calculation is a step."""
        world, at, cost = self.world, self.at(node), size(node)

        def run(f: Frame) -> Any:
            world.fuel -= cost
            if world.fuel < 0:
                world.at = at
                world.tick()
            return code(f)

        return run

    def _spending(self, node: c_ast.Node) -> Statement:
        """An expression that is no step of the driver, and costs nevertheless."""
        world, code, cost = self.world, self.value(node), size(node)

        def run(f: Frame) -> None:
            world.spend(cost)
            code(f)

        return run

    def _s_compound(self, node: c_ast.Compound) -> Statement:
        self.scopes.append({})
        labels: dict[str, int] = {}
        codes: list[Statement] = []
        items = list(node.block_items or [])
        for number, item in enumerate(items):
            inner = item
            while isinstance(inner, c_ast.Label):
                labels[inner.name] = number
                inner = inner.stmt
            guard = guarded_by(inner)
            if guard is not None:
                rest = c_ast.Compound(items[number + 1 :], node.coord)
                codes.append(self._guarded(inner, guard, self.statement(rest)))
                break
            codes.append(self.statement(inner))
        self.scopes.pop()
        if labels:
            return jumping(self.world, codes, labels)
        return sequence(self.world, tuple(codes))

    def _guarded(self, node: c_ast.FuncCall, kind: str, body: Statement) -> Statement:
        """A lock that is held up to the end of its block."""
        if kind.startswith("free_"):
            function = c_ast.ID(kind.removeprefix("free_"), node.coord)
            give_back = self.value(c_ast.FuncCall(function, node.args, node.coord))
            return cleaned(self.value(node.args.exprs[0]), give_back, body)
        take, give = self.program.locks.guard(kind, self.world)
        world, at, given, cost = self.world, self.at(node), self.arguments(node), size(node)
        pointer: Code = self.value(given[0]) if given else (lambda _f: None)

        def run(f: Frame) -> Any:
            world.fuel -= cost
            world.at = at
            if world.fuel < 0:
                world.tick()
            lock = pointer(f)
            world.at = at
            take(lock)
            result = body(f)
            give(lock)
            return result

        return run

    def _s_decl(self, node: c_ast.Decl) -> Statement:
        type_ = self.unit.types.of(node.type)
        self.unit.types.learn(node)
        if node.name is None or isinstance(type_, Func):
            return lambda _f: None
        if isinstance(type_, Array) and node.init is not None and not type_.length:
            type_ = array(type_.of, length(node.init))
        if "static" in (node.storage or []):
            return self._static(node, type_)
        variable = self.declare(node.name, type_)
        slot = variable.slot
        if not variable.memory:
            if node.init is None:

                def clear(f: Frame) -> None:
                    f[slot] = UNDEFINED

                return clear
            code = self.value_for(node.init, type_, node.name)
            wrap = type_.wrapper() if isinstance(type_, Int) else None

            def put(f: Frame) -> None:
                v = code(f)
                f[slot] = wrap(v) if wrap else v

            return self._ticking(node, put)
        return self._local_object(node, variable)

    def _static(self, node: c_ast.Decl, type_: Type) -> Statement:
        """A variable that keeps its value from call to call."""
        obj = Obj("static", f"'{node.name}'", type_.size)
        for offset, code in initialise(self, node.init, type_) if node.init is not None else ():
            obj.cells[offset] = code([])
        self.scopes[-1][node.name] = Variable(0, type_, memory=True, obj=obj)
        return lambda _f: None

    def _local_object(self, node: c_ast.Decl, variable: Variable) -> Statement:
        slot, size, name = variable.slot, variable.type.size, f"'{node.name}'"
        if isinstance(variable.type, Struct) and isinstance(node.init, c_ast.ID):
            return self._local_copy(node, variable)
        sets = [] if node.init is None else list(initialise(self, node.init, variable.type))
        zero, world = node.init is not None, self.world

        def make(f: Frame) -> None:
            world.spend(len(sets))
            values = [(offset, code(f)) for offset, code in sets]
            cells: dict[Any, Any] = dict(values)
            if zero:
                cells["zero"] = True
            f[slot] = Obj("stack", name, size, cells=cells)

        return self._ticking(node, make)

    def _local_copy(self, node: c_ast.Decl, variable: Variable) -> Statement:
        """A structure that starts as a copy of another."""
        slot, size, name = variable.slot, variable.type.size, f"'{node.name}'"
        both = c_ast.Assignment("=", c_ast.ID(node.name, node.coord), node.init, node.coord)
        copy = self.value(both)

        def make(f: Frame) -> None:
            f[slot] = Obj("stack", name, size)
            copy(f)

        return self._ticking(node, make)

    def _s_decllist(self, node: c_ast.DeclList) -> Statement:
        return sequence(self.world, tuple(self.statement(item) for item in node.decls))

    def _s_return(self, node: c_ast.Return) -> Statement:
        code = self.stepping(node.expr, self.value(node.expr)) if node.expr is not None else None
        wrap, world, at = self.wrap, self.world, self.at(node)

        def run(f: Frame) -> Any:
            if code is not None:
                value = code(f)
                f[0] = wrap(value) if wrap else value
                world.returned = at
            return RETURN

        return run

    def _s_if(self, node: c_ast.If) -> Statement:
        cond, yes = self.condition(node.cond), self.statement(node.iftrue)
        no = self.statement(node.iffalse) if node.iffalse is not None else None

        def run(f: Frame) -> Any:
            if cond(f):
                return yes(f)
            return no(f) if no is not None else None

        return run

    def _s_for(self, node: c_ast.For) -> Statement:
        scoped = str(getattr(getattr(node.cond, "name", None), "name", ""))
        if scoped.startswith("__model_scoped_"):
            kind = scoped.removeprefix("__model_scoped_")
            inner = self._guarded(node.cond, kind, self.statement(node.stmt))
            return lambda f: None if (r := inner(f)) in {BREAK, CONTINUE} else r
        self.scopes.append({})
        start = self.statement(node.init) if node.init is not None else None
        more = self.condition(node.cond) if node.cond is not None else (lambda _f: 1)
        after = self._spending(node.next) if node.next is not None else None
        body = self.statement(node.stmt)
        self.scopes.pop()
        return loop(self.world, start, more, after, body)

    def _s_while(self, node: c_ast.While) -> Statement:
        more, body = self.condition(node.cond), self.statement(node.stmt)
        return loop(self.world, None, more, None, body)

    def _s_dowhile(self, node: c_ast.DoWhile) -> Statement:
        more, body = self.condition(node.cond), self.statement(node.stmt)
        again = loop(self.world, None, more, None, body)

        def run(f: Frame) -> Any:
            signal = body(f)
            if signal is None or signal is CONTINUE:
                return again(f)
            return None if signal is BREAK else signal

        return run

    def _s_break(self, _node: c_ast.Break) -> Statement:
        return lambda _f: BREAK

    def _s_continue(self, _node: c_ast.Continue) -> Statement:
        return lambda _f: CONTINUE

    def _s_goto(self, node: c_ast.Goto) -> Statement:
        signal, world, at = Goto(node.name), self.world, self.at(node)

        def run(_f: Frame) -> Any:
            world.fuel -= 1
            if world.fuel < 0:
                world.at = at
                world.tick()
            return signal

        return run

    def _s_switch(self, node: c_ast.Switch) -> Statement:
        cond = self.stepping(node.cond, self.value(node.cond))
        cases: list[tuple[Code | None, int]] = []
        codes: list[Statement] = []
        block = node.stmt.block_items if isinstance(node.stmt, c_ast.Compound) else [node.stmt]
        stack = list(block or [])
        while stack:
            item = stack.pop(0)
            if isinstance(item, (c_ast.Case, c_ast.Default)):
                label = self.value(item.expr) if isinstance(item, c_ast.Case) else None
                cases.append((label, len(codes)))
                stack = [*(item.stmts or []), *stack]
            else:
                codes.append(self.statement(item))
        return switch(self.world, cond, cases, codes)
