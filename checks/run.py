# SPDX-License-Identifier: GPL-2.0-or-later
"""The checker's pipeline: parse, facts, rules. A stage sees only what the one before has made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

# Importing a module of rules puts its functions into CHECKS.
from checks import (  # noqa: F401
    rules_build,
    rules_conditions,
    rules_declare,
    rules_documents,
    rules_drivers,
    rules_header,
    rules_hooks,
    rules_ids,
    rules_include,
    rules_make,
    rules_port,
    rules_registers,
    rules_sysfs,
)
from checks.baseline import Baseline
from checks.execution import rules as execution
from checks.extract import extract
from checks.fingerprint import with_fingerprints
from checks.flow import rules as _flow_rules  # noqa: F401 (as above)
from checks.parse import parse_tree
from checks.rule import (
    CHECKS,
    Context,
    Found,
    Judgement,
    NotApplicable,
    Unknown,
    Verdict,
    rules,
)
from checks.settle import Settled, Suppressed, amend, settle
from checks.suppress import CONTROL, comments
from checks.tree import find_trees
from gen.diagnostics import Diagnostic, Related

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from checks.facts import DriverFacts
    from checks.fingerprint import Finding
    from checks.rule import Rule, Word
    from checks.suppress import Comment
    from checks.tree import SourceTree
    from gen.kernel import Kernel
    from gen.model import Device

ANALYSIS = ("PARSE001", "PARSE002", "KERN133")
INCOMPLETE = frozenset({"PARSE001", "KERN133"})
# Rules about the analysis or about its report: they say nothing of the driver.
NO_ANSWER = frozenset({*ANALYSIS, *CONTROL})
_WORSE = (Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL)


@dataclass(frozen=True)
class Report:
    """The result of a run: the findings that count, with their fingerprints, and the others."""

    findings: tuple[Diagnostic, ...]
    judgements: tuple[Judgement, ...]
    fingerprints: tuple[str, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    known: tuple[Finding, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: 1 for defects, 3 where something was not read, 0 for a clean driver."""
        judged = {item.verdict for item in self.judgements if item.rule.id not in NO_ANSWER}
        if not judged & {Verdict.PASS, Verdict.FAIL}:
            return 3
        table = rules()
        if any(table[item.rule].gates and item.rule not in ANALYSIS for item in self.findings):
            return 1
        return 3 if any(item.rule in INCOMPLETE for item in self.findings) else 0

    @property
    def undecided(self) -> tuple[Judgement, ...]:
        """The rules that the facts did not decide."""
        return tuple(item for item in self.judgements if item.verdict is Verdict.UNKNOWN)


def check_paths(
    paths: Iterable[Path],
    device: Device,
    kernel: Kernel,
    *,
    execute: bool = True,
    baseline: Baseline | None = None,
) -> Report:
    """Check each path's driver against the device, as one report; `execute` also runs it."""
    trees = find_trees(paths, device)
    return check_trees(trees, device, kernel, execute=execute, baseline=baseline)


def check_trees(
    trees: Iterable[SourceTree],
    device: Device,
    kernel: Kernel,
    *,
    execute: bool = True,
    baseline: Baseline | None = None,
) -> Report:
    """The same for trees that were read already."""
    results = [check_tree(tree, device, kernel, execute=execute) for tree in trees]
    found = {
        (one.item.rule, one.item.message, one.item.span.source, one.item.span): one
        for result in results
        for one in result.found
    }
    judgements = [_worst(results, rule) for rule in rules().values()]
    comments = list(dict.fromkeys(item for result in results for item in result.comments))
    settled = settle(found.values(), comments, baseline or Baseline(), judgements)
    return report_of(settled, judgements, tuple(found.values()))


def report_of(
    settled: Settled, judgements: Iterable[Judgement], known: Iterable[Finding]
) -> Report:
    """A report of findings of which only some count."""
    counted = sorted(settled.counted, key=lambda one: one.item.sort_key())
    hidden = len(settled.suppressed)
    return Report(
        findings=tuple(one.item for one in counted),
        judgements=amend(judgements, counted, f"{hidden} findings are suppressed"),
        fingerprints=tuple(one.fingerprint for one in counted),
        suppressed=settled.suppressed,
        known=tuple(known),
    )


def _worst(results: list[TreeResult], rule: Rule) -> Judgement:
    given = [item for result in results for item in result.judgements if item.rule is rule]
    none = Judgement(rule, Verdict.NOT_APPLICABLE, "nothing was checked")
    return max(given, key=lambda item: _WORSE.index(item.verdict), default=none)


@dataclass(frozen=True)
class TreeResult:
    """What was found in one tree, and what its comments say about that."""

    found: tuple[Finding, ...]
    judgements: tuple[Judgement, ...]
    comments: tuple[Comment, ...]


def check_tree(
    tree: SourceTree, device: Device, kernel: Kernel, *, execute: bool = True
) -> TreeResult:
    """Check one driver."""
    units = parse_tree(tree, kernel)
    facts = extract(tree, units, kernel)
    allowing, remarks = comments(tree.files)
    findings = [_of_problem(facts, index) for index in range(len(facts.problems))]
    judgements = [_judge_analysis(rules()[rule], facts) for rule in ANALYSIS]
    judgements += [Judgement(rules()[rule], Verdict.PASS) for rule in CONTROL]
    # The execution rules come last and do not tell again what others have found.
    context = Context(device, facts, units, {"findings": findings})
    for rule in rules().values():
        if rule.id in NO_ANSWER or (rule.id in execution.RULES and not execute):
            continue
        if not facts.tree.files:
            judgements.append(Judgement(rule, Verdict.NOT_APPLICABLE, "no file could be read"))
            continue
        open_ = [item.rule for item in judgements if item.rule.id in rule.needs
                 and item.verdict in {Verdict.FAIL, Verdict.UNKNOWN}]  # fmt: skip
        words = [_settled(word, facts, open_) for word in CHECKS[rule.id](context)]
        findings += [_of_word(rule, word) for word in words if isinstance(word, Found)]
        judgements.append(_judge(rule, words))
    found = with_fingerprints([*findings, *remarks], facts)
    return TreeResult(tuple(found), tuple(judgements), tuple(allowing))


def _settled(word: Word, facts: DriverFacts, open_: list[Rule]) -> Word:
    """What is found means nothing where it rests on something else that is not known."""
    if not isinstance(word, Found):
        return word
    if open_:
        return Unknown(f"{open_[0].id} comes first: {open_[0].title.lower()}", word.span)
    # A missing thing may stand in what could not be analysed.
    blind = any(problem.rule in INCOMPLETE for problem in facts.problems)
    if word.absent and blind:
        return Unknown(f"{word.message}, as far as the source was analysed", word.span)
    return word


def _of_problem(facts: DriverFacts, index: int) -> Diagnostic:
    problem = facts.problems[index]
    severity = rules()[problem.rule].severity
    return Diagnostic(problem.rule, problem.message, problem.span, severity, problem.help)


def _of_word(rule: Rule, word: Found) -> Diagnostic:
    related = (Related(word.spec, "the spec says so here"),) if word.spec else ()
    return Diagnostic(rule.id, word.message, word.span, rule.severity, word.help, related)


def _judge_analysis(rule: Rule, facts: DriverFacts) -> Judgement:
    broken = [problem for problem in facts.problems if problem.rule == rule.id]
    if broken:
        return Judgement(rule, Verdict.FAIL, broken[0].message)
    return Judgement(rule, Verdict.PASS)


def _judge(rule: Rule, words: list[Word]) -> Judgement:
    for kind, verdict in (
        (Found, Verdict.FAIL),
        (Unknown, Verdict.UNKNOWN),
        (NotApplicable, Verdict.NOT_APPLICABLE),
    ):
        matching = [word for word in words if isinstance(word, kind)]
        if matching:
            return Judgement(rule, verdict, _why(matching[0]))
    return Judgement(rule, Verdict.PASS, _why(words[0]) if words else "")


def _why(word: Word) -> str:
    if isinstance(word, Found):
        return word.message
    span = getattr(word, "span", None)
    return f"{word.why} ({span})" if span else word.why
