# SPDX-License-Identifier: GPL-2.0-or-later
"""C text to an abstract syntax tree whose every node has its exact place in the text as written.

The preprocessed tokens are handed to pycparser one on a line, so that a node's line number is the
number of its first token. An item that cannot be parsed is reported and left out, and the rest of
the file is parsed without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pycparser import c_ast
from pycparser.c_parser import CParser, ParseError

from checks.preprocess import TooLargeError, TreePreprocessor
from checks.raw import RawTree
from checks.tree import Problem, Role

if TYPE_CHECKING:
    from checks.preprocess import Include, MacroDefinition, Token
    from checks.tree import SourceTree, TreeFile
    from gen.kernel import Kernel
    from gen.source import Source, Span

MAX_UNPARSED = 20
_PREFIXES = frozenset({"&", "*", "-", "+", "~", "!"})


@dataclass(frozen=True)
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
        tokens = tuple(reader.run())
    except TooLargeError:
        tokens = ()
        problems.append(Problem("PARSE001", "macros expand without bounds", file.start))
    except RecursionError:
        tokens = ()
        problems.append(Problem("PARSE001", "nested too deeply", file.start))
    types = _typedefs(kernel)
    ast = _parse_tokens(tokens, types, file, problems) if tokens or not problems else None
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


def _typedefs(kernel: Kernel) -> list[str]:
    """Declarations of the kernel's types, one on a line."""
    types = [api.prototype for api in kernel.table.values() if api.kind == "type"]
    return [f"{prototype};" for prototype in types]


def _parse_tokens(
    tokens: tuple[Token, ...], types: list[str], file: TreeFile, problems: list[Problem]
) -> c_ast.FileAST | None:
    """Parse, leaving out one broken item after the other."""
    texts = [token.text for token in tokens]
    items = _items(tokens)
    for _ in range(MAX_UNPARSED):
        try:
            return CParser().parse("\n".join([*types, *texts]) + "\n", "unit")
        except ParseError as error:
            index = _index(str(error), len(types), len(texts))
            start, end = next(
                ((a, b) for a, b in items if a <= index < b and any(texts[a:b])), (0, 0)
            )
            problems.append(_unparsed(tokens, index, start, file))
            if start == end:
                return None
            texts[start:end] = [""] * (end - start)
        except (RecursionError, AssertionError, ValueError, AttributeError, IndexError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else "not C"
            problems.append(Problem("PARSE001", f"cannot be parsed: {reason}", file.start))
            return None
    return None


def _unparsed(tokens: tuple[Token, ...], index: int, start: int, file: TreeFile) -> Problem:
    if not tokens:
        return Problem("KERN133", "this file is not analysed: it cannot be parsed", file.start)
    words = " ".join(token.text for token in tokens[start : start + 4])
    return Problem(
        "KERN133",
        f"not analysed from '{words} ...' on: it cannot be parsed here",
        tokens[min(index, len(tokens) - 1)].span,
        "an unknown macro or an extension of C that the checker does not know, or a plain mistake",
    )


def _index(message: str, skip: int, count: int) -> int:
    """The number of the token that a parser's message is about; at its end, the last one."""
    match = re.search(r"unit:(\d+)", message)
    line = int(match[1]) - skip - 1 if match else count - 1
    return min(max(line, 0), max(count - 1, 0))


def _items(tokens: tuple[Token, ...]) -> list[tuple[int, int]]:
    """Where each file-scope item starts and ends, by its brackets.

    In the kernel's style a function ends with a brace in the first column. That limits what an
    unbalanced bracket can swallow.
    """
    items, start, depth, body = [], 0, 0, False
    for index, token in enumerate(tokens):
        text, before = token.text, tokens[index - 1] if index else None
        if before and before.text == "}" and before.span.column == token.span.column == 1 and depth:
            items.append((start, index))
            start, depth, body = index, 0, False
        if text in {"{", "(", "["}:
            body = body or bool(text == "{" and depth == 0 and before and before.text == ")")
            depth += 1
        elif text in {"}", ")", "]"}:
            depth = max(depth - 1, 0)
        ends = text == ";" or (text == "}" and body)
        if depth == 0 and ends:
            items.append((start, index + 1))
            start, body = index + 1, False
    if start < len(tokens):
        items.append((start, len(tokens)))
    return items
