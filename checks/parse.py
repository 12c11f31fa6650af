# SPDX-License-Identifier: GPL-2.0-or-later
"""C text to an abstract syntax tree whose every node has its exact place in the text as written.

The preprocessed tokens are handed to pycparser one on a line, so that a node's line number is the
number of its first token. An item that cannot be parsed is reported and left out, and the rest of
the file is parsed without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycparser import c_ast

from checks.bounds import TooLargeError
from checks.dialect import STRANGE, standard, strange_types
from checks.preprocess import TreePreprocessor
from checks.raw import RawTree
from checks.recover import parse_tokens
from checks.tree import Problem, Role

if TYPE_CHECKING:
    from checks.preprocess import Include, MacroDefinition, Token
    from checks.tree import SourceTree, TreeFile
    from gen.kernel import Kernel
    from gen.source import Source, Span

_PREFIXES = frozenset({"&", "*", "-", "+", "~", "!"})


@dataclass(frozen=True, eq=False)
class Unit:
    """A parsed .c file with what it includes from the tree; `ast` is None if nothing parsed."""

    file: TreeFile
    ast: c_ast.FileAST | None
    tokens: tuple[Token, ...]
    defines: tuple[MacroDefinition, ...]
    expanded: dict[str, str]
    includes: tuple[Include, ...]
    problems: tuple[Problem, ...]
    raws: dict[Source, RawTree]
    first: int

    @property
    def functions(self) -> list[c_ast.FuncDef]:
        """The functions that the unit defines."""
        items = self.ast.ext if self.ast else []
        return [item for item in items if isinstance(item, c_ast.FuncDef)]

    def token(self, node: c_ast.Node) -> Token | None:
        """The first token of a node."""
        index = self._index(node)
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def _index(self, node: c_ast.Node) -> int:
        """The number of a node's first token; pycparser leaves out what stands before operands."""
        if isinstance(node, c_ast.NamedInitializer):
            return self._before(self._index(node.name[0]), {".", "["})
        if isinstance(node, c_ast.InitList) and node.exprs:
            return self._before(self._index(node.exprs[0]), {"{"})
        index: int = node.coord.line - self.first if node.coord else -1
        if isinstance(node, c_ast.UnaryOp) and node.op in _PREFIXES:
            return self._before(index, {node.op})
        return index

    def _before(self, index: int, texts: set[str]) -> int:
        """The last token before `index` with one of these texts."""
        found = (i for i in range(min(index, len(self.tokens)) - 1, -1, -1)
                 if self.tokens[i].text in texts)  # fmt: skip
        return next(found, index)

    def span(self, node: c_ast.Node) -> Span:
        """The node's place: as much of it as stands on its first line."""
        token = self.token(node)
        if token is None:
            return self.file.start
        raw = self.raws.get(token.span.source)
        return raw.extent(token.span) if raw else token.span

    def name_span(self, node: c_ast.Node) -> Span:
        """The place of the node's first token alone."""
        token = self.token(node)
        return token.span if token else self.file.start


def parse_tree(tree: SourceTree, kernel: Kernel) -> tuple[Unit, ...]:
    """Parse every .c file of the tree, and the headers that none of them includes."""
    raws: dict[Source, RawTree] = {
        file.source: RawTree(file.source)
        for file in tree.files
        if file.role in {Role.UNIT, Role.HEADER, Role.UAPI}
    }
    units = [_parse(tree, file, kernel, raws) for file in tree.of(Role.UNIT)]
    seen = {include.file for unit in units for include in unit.includes}
    alone = [file for file in (*tree.of(Role.UAPI), *tree.of(Role.HEADER)) if file not in seen]
    return (*units, *(_parse(tree, file, kernel, raws) for file in alone))


def _parse(tree: SourceTree, file: TreeFile, kernel: Kernel, raws: dict[Source, RawTree]) -> Unit:
    reader = TreePreprocessor(tree, file, kernel)
    problems: list[Problem] = []
    try:
        tokens = standard(reader.run(), _type_names(kernel))
    except TooLargeError:
        tokens = ()
        problems.append(
            Problem(
                "PARSE001", "cannot be parsed: too much text, or macros without bounds", file.start
            )
        )
    except (AssertionError, AttributeError, IndexError, TypeError, ValueError):
        # pcpp checks little of what it is given.
        tokens = ()
        problems.append(Problem("PARSE001", "cannot be preprocessed: not C", file.start))
    except RecursionError:
        tokens = ()
        problems.append(Problem("PARSE001", "nested too deeply", file.start))
    types = _typedefs(kernel)
    strange = strange_types(tokens, _type_names(kernel))
    types += [f"typedef struct {STRANGE} {name};" for name in strange]
    ast = parse_tokens(tokens, types, file, problems) if tokens or not problems else None
    return Unit(
        file=file,
        ast=ast,
        tokens=tokens,
        defines=tuple(reader.defines),
        expanded={macro.name: reader.expanded(macro.body) for macro in reader.defines},
        includes=tuple(reader.includes),
        problems=(*reader.problems, *problems),
        raws=raws,
        first=len(types) + 1,
    )


def _type_names(kernel: Kernel) -> list[str]:
    return [api.name for api in kernel.table.values() if api.kind == "type"]


def _typedefs(kernel: Kernel) -> list[str]:
    """Declarations of the kernel's types, one on a line."""
    types = [api.prototype for api in kernel.table.values() if api.kind == "type"]
    return [f"{prototype};" for prototype in types]
