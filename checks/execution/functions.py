# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions of the driver as something that Python can call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from checks.execution.flow import Goto
from checks.execution.state import UNDEFINED, Obj
from checks.execution.statements import Statements

if TYPE_CHECKING:
    from pycparser import c_ast

    from checks.execution.flow import Statement
    from checks.execution.layout import Type
    from checks.execution.places import Frame, Variable
    from checks.execution.program import Program, UnitCode

MAX_DEPTH = 24


@dataclass(eq=False)
class Function:
    """A function of the driver, compiled when it is first called."""

    name: str
    unit: UnitCode
    node: c_ast.FuncDef
    program: Program
    returns: Type
    slots: int = 0
    parameters: list[tuple[Variable, Any]] = field(default_factory=list)
    body: Statement | None = None

    def __call__(self, *given: Any) -> Any:
        """Run the function."""
        world = self.program.world
        if self.body is None:
            Statements(self.unit, self.program).function(self)
        if len(given) != len(self.parameters) or self.body is None:
            raise world.unknown(f"{self.name} is called with another number of arguments")
        world.spend(1 + self.slots)
        frame: Frame = [UNDEFINED] * self.slots
        for (variable, wrap), value in zip(self.parameters, given, strict=True):
            kept = wrap(value) if wrap else value
            frame[variable.slot] = _boxed(variable, kept) if variable.memory else kept
        world.depth += 1
        try:
            if world.depth > MAX_DEPTH:
                raise world.unknown(f"{self.name} calls itself without end")
            result = self.body(frame)
        finally:
            world.depth -= 1
        if isinstance(result, Goto):
            raise world.unknown(f"the label '{result.label}' is not where it is looked for")
        return frame[0]


def _boxed(variable: Variable, value: Any) -> Obj:
    return Obj("stack", "a parameter", variable.type.size, cells={0: value})
