# SPDX-License-Identifier: GPL-2.0-or-later
"""Preprocessing without a kernel: macros come from the facts table, files from the given tree only.

Each token that comes out knows its place in the text as written. A token that a macro's body
brought in has the place of the macro's use; one that was an argument keeps its own.
"""

from __future__ import annotations

import copy
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from pcpp import Action, OutputDirective, Preprocessor
from pcpp.evaluator import Value as IfValue

from checks import bounds
from checks.bounds import TooLargeError
from checks.facts import module_of
from checks.makefile import read_makefile
from checks.tree import Problem, Role, TreeFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.tree import SourceTree
    from gen.kernel import Kernel
    from gen.source import Source, Span

_WITH_OPERAND = frozenset({"define", "undef", "ifdef", "ifndef", "if", "elif", "include"})
# Bits of a number in an #if.
_WIDTH = 64
# What ends a line for str.splitlines but not for a compiler.
_ODD_ENDS = re.compile("[\f\v\x1c\x1d\x1e\x85\u2028\u2029]")


@dataclass(frozen=True)
class Token:
    """A preprocessed token and its place."""

    text: str
    span: Span


@dataclass(frozen=True)
class MacroDefinition:
    """A macro that the tree defines: its parameters (None for a plain one) and its place."""

    name: str
    parameters: tuple[str, ...] | None
    body: str
    span: Span
    body_span: Span


@dataclass(frozen=True)
class Include:
    """An `#include` line; `file` is the tree's file that it brings in, None for the kernel's."""

    header: str
    quoted: bool
    file: TreeFile | None
    span: Span


def _bounded_shift(value: Any, distance: Any) -> Any:
    """`<<` in an #if; what C leaves undefined is 0, where pcpp would build the whole number."""
    far = IfValue(distance)
    if far.exception is None and not 0 <= int(far) < _WIDTH:
        return IfValue(0)
    return _plain_shift(value, far)


# pcpp has no seam here: its grammar names the class.
_plain_shift = IfValue.__lshift__
IfValue.__lshift__ = _bounded_shift


class _Line(int):
    """A line number that remembers its exact place: pcpp copies it onto what a macro expands to."""

    span: Span

    def __new__(cls, span: Span) -> Self:
        line = super().__new__(cls, span.line)
        line.span = span
        return line


class TreePreprocessor(Preprocessor):  # type: ignore[misc]
    """pcpp, shut off from the file system."""

    def __init__(self, tree: SourceTree, file: TreeFile, kernel: Kernel) -> None:
        super().__init__()
        self.macros: dict[str, Any]
        self.tree, self.kernel, self.problems = tree, kernel, list[Problem]()
        self.defines: list[MacroDefinition] = []
        self.includes: list[Include] = []
        self._stack = [file]
        self._boundless = False
        self._work = self._conditions = self._lines = self._included = 0
        self.macros = {**self.macros, **_kernel_macros(kernel)}
        # kbuild gives each part of a module the name of that.
        module = module_of(read_makefile(tree.of(Role.MAKEFILE))[0], file.path.stem)
        self.define(f'KBUILD_MODNAME "{module.replace("-", "_")}"')

    def run(self) -> list[Token]:
        """All tokens of the file and of what it includes from the tree.

        Raises:
            TooLargeError: macros expand without bounds.
        """
        if any(bounds.too_long(file.source) for file in self.tree.files):
            raise TooLargeError
        options = sorted(_options(self.tree))
        if len(options) > bounds.MAX_OPTIONS:
            raise TooLargeError
        for option in options:
            self.define(f"{option} 1")
        tokens = []
        for token in self.parsegen(self._stack[0].source.text, "unit", "unit"):
            if token.type in self.t_WS or token.type in self.t_COMMENT:
                continue
            tokens.append(Token(str(token.value), _place(token)))
            if len(tokens) > bounds.MAX_TOKENS or len(tokens[-1].text) > bounds.MAX_LENGTH:
                raise TooLargeError
        return tokens

    def expanded(self, text: str) -> str:
        """A macro's body with the macros in it replaced, as of the end of the file.

        After one that grows without bounds, the others count as unknown: each may take as long.
        """
        if self._boundless:
            return ""
        try:
            tokens = self.expand_macros(self.tokenize(text))
        except (RecursionError, TooLargeError):
            self._boundless = True
            return ""
        return " ".join(str(token.value) for token in tokens if token.type not in self.t_WS)

    def group_lines(self, text: str, source: str) -> Iterator[list[Any]]:
        """Give every token its place, as pcpp knows only lines."""
        self._lines += text.count("\n")
        if self._lines > bounds.MAX_LINES:
            raise TooLargeError
        text = _ODD_ENDS.sub(" ", text)
        file = self._stack[-1].source
        stripped = "\n".join(line.rstrip() for line in text.splitlines())
        starts = [0] + [match.end() for match in re.finditer("\n", stripped)]
        for tokens in super().group_lines(text, source):
            for token in tokens:
                row = bisect_right(starts, token.lexpos)
                column = token.lexpos - starts[row - 1] + 1
                token.place = file.span(row, column, len(str(token.value).rstrip("\n")))
                token.lineno = _Line(token.place)
            yield tokens

    def include(self, tokens: list[Any], _line: list[Any]) -> Iterator[Any]:
        """Bring in a file of the tree; note a header of the kernel, which its facts stand for."""
        text = "".join(str(token.value) for token in tokens)
        match = re.fullmatch(r'<([^>]+)>|"([^"]+)"', text)
        if match is None:
            self._problem("KERN133", "not analysed: this #include names no file", _place(tokens[0]))
            return
        span = _place(tokens[0])
        span = span.source.span(span.line, span.column, len(text))
        header = match[1] or match[2]
        file = self.tree.resolve(header, self._stack[-1])
        self.includes.append(Include(header, match[2] is not None, file, span))
        if len(self.includes) > bounds.MAX_INCLUDES:
            raise TooLargeError
        if file is not None and file not in self._stack:
            self._included += len(file.source.text)
            if self._included > bounds.MAX_INCLUDED:
                raise TooLargeError
            self._stack.append(file)
            yield from self.parsegen(file.source.text, str(file.path), str(file.path))
            self._stack.pop()
        elif file is None and match[2] is not None:
            self._problem("PARSE002", f"'{header}' is not in the given tree", span)

    def define(self, tokens: Any) -> None:
        """Note the tree's own macros; their bodies forget where they stand."""
        if not isinstance(tokens, str) and tokens:
            self._note_define(tokens)
            tokens = [copy.copy(token) for token in tokens]
            for token in tokens:
                token.place, token.lineno = None, int(token.lineno)
        super().define(tokens)

    def expand_macros(self, tokens: list[Any], expanding_from: Any = ()) -> list[Any]:
        """Give what a body brought in the place of its use, before an outer use hides it."""
        expanded: list[Any] = super().expand_macros(tokens, list(expanding_from))
        self._work += 1 + len(expanded)
        if len(expanded) > bounds.MAX_TOKENS or self._work > bounds.MAX_WORK:
            raise TooLargeError
        if not expanding_from:
            for token in expanded:
                if getattr(token, "place", None) is None and isinstance(token.lineno, _Line):
                    token.place = token.lineno.span
        return expanded

    def _note_define(self, tokens: list[Any]) -> None:
        name, rest, parameters = tokens[0], tokens[1:], None
        if rest and rest[0].value == "(":
            end = next((i for i, token in enumerate(rest) if token.value == ")"), len(rest))
            words = [str(token.value) for token in rest[1:end] if token.value != ","]
            parameters = tuple(word for word in words if word.strip())
            rest = rest[end + 1 :]
        body = [token for token in rest if token.type not in self.t_WS]
        text = "".join(str(token.value) for token in rest).strip()
        at = _place(body[0]) if body else _place(name)
        at = at.source.span(at.line, at.column, len(text.split("\n")[0]) if body else at.length)
        known = MacroDefinition(str(name.value), parameters, text, _place(name), at)
        self.defines.append(known)

    def macro_expand_args(self, macro: Any, args: list[Any]) -> list[Any]:
        """An argument turned into a string keeps the argument's place."""
        for number, index in macro.str_patch:
            first = next(iter(args[number]), None)
            macro.value[index].place = getattr(first, "place", None)
        expanded: list[Any] = super().macro_expand_args(macro, args)
        return expanded

    def on_directive_handle(
        self, directive: Any, tokens: list[Any], if_passthru: bool, preceding: list[Any]
    ) -> bool | None:
        """Nothing but #error means anything to a checker beyond what pcpp does itself."""
        if directive.value in _WITH_OPERAND and not tokens:
            self._problem(
                "KERN133", f"not analysed: #{directive.value} of nothing", _place(directive)
            )
            # pcpp takes an operand for granted.
            nothing = copy.copy(directive)
            nothing.type, nothing.value = self.t_ID, "__nothing"
            tokens.append(nothing)
        if directive.value in {"if", "elif"}:
            self._conditions += 1
            if self._conditions > bounds.MAX_CONDITIONS:
                raise TooLargeError
        if directive.value == "error" and not if_passthru:
            words = "".join(str(token.value) for token in tokens)
            self._problem("KERN133", f"the preprocessor stops here: {words}", _place(directive))
        if directive.value in {"pragma", "error", "warning", "line", "ident"}:
            raise OutputDirective(Action.IgnoreAndRemove)
        handled: bool | None = super().on_directive_handle(
            directive, tokens, if_passthru, preceding
        )
        return True if handled is None else handled

    def on_error(self, _file: str, line: int, message: str) -> None:
        """What pcpp cannot make sense of is a problem of the analysis."""
        where = line.span if isinstance(line, _Line) else self._stack[-1].start
        self._problem("KERN133", f"not analysed: {message[:1].lower()}{message[1:]}", where)

    def on_unknown_macro_in_defined_expr(self, _token: Any) -> bool:
        """A macro that nobody defined is not defined."""
        return False

    def on_unknown_macro_in_expr(self, _ident: str) -> int:
        """A macro that nobody defined counts as 0, as in C."""
        return 0

    def on_comment(self, _token: Any) -> bool:
        """Comments go."""
        return False

    def _problem(self, rule: str, message: str, span: Span) -> None:
        self.problems.append(Problem(rule, message, span))


def _place(token: Any) -> Span:
    place: Span | None = getattr(token, "place", None)
    if place is None and isinstance(token.lineno, _Line):
        place = token.lineno.span
    if place is None:
        raise AssertionError(f"a token without a place: {token.value!r}")
    return place


def _options(tree: SourceTree) -> set[str]:
    """Configuration options that the code asks for; all count as set, so all code is seen."""
    texts = (file.source.text for file in tree.files if file.path.suffix in {".c", ".h"})
    return {name for text in texts for name in re.findall(r"\bCONFIG_\w+", text)}


@lru_cache(maxsize=8)
def _macros_of(definitions: tuple[str, ...]) -> dict[str, Any]:
    stub = Preprocessor()
    before = set(stub.macros)
    for definition in definitions:
        stub.define(definition)
    return {name: macro for name, macro in stub.macros.items() if name not in before}


def _kernel_macros(kernel: Kernel) -> dict[str, Any]:
    """The stubs of the kernel's macros.

    Those that this series lacks are defined all the same: the text has to be understood before it
    can be said what is wrong with it.
    """
    definitions = []
    for api in kernel.table.values():
        if api.expands is not None:
            head = api.name if api.params is None else f"{api.name}({','.join(api.params)})"
            definitions.append(f"{head} {api.expands}")
    return _macros_of(tuple(definitions))


def text_of(source: Source, span: Span) -> str:
    """What stands at a span."""
    return source.line(span.line)[span.column - 1 : span.column - 1 + span.length]
