# SPDX-License-Identifier: GPL-2.0-or-later
"""The checker's pipeline: parse, facts, rules. A stage sees only what the one before has made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

# Importing a module of rules puts its functions into CHECKS.
from checks import rules_build, rules_ids, rules_registers, rules_sysfs  # noqa: F401
from checks.execution import rules as execution
from checks.extract import extract
from checks.flow import rules as _flow_rules  # noqa: F401 (as above)
from checks.parse import parse_tree
from checks.rule import CHECKS, Context, Found, NotApplicable, Unknown, Verdict, rules
from checks.tree import find_trees
from gen.diagnostics import Diagnostic, Related

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from checks.facts import DriverFacts
    from checks.rule import Rule, Word
    from checks.tree import SourceTree
    from gen.kernel import Kernel
    from gen.model import Device

ANALYSIS = ("PARSE001", "PARSE002", "KERN133")
INCOMPLETE = frozenset({"PARSE001", "KERN133"})
_WORSE = (Verdict.NOT_APPLICABLE, Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL)


@dataclass(frozen=True)
class Judgement:
    """What became of one rule: the verdict and, unless it passed, why."""

    rule: Rule
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True)
class Report:
    """The result of a run."""

    findings: tuple[Diagnostic, ...]
    judgements: tuple[Judgement, ...]

    @property
    def status(self) -> int:
        """The exit status: 1 for defects, 3 for an incomplete answer, 0 for a clean driver."""
        judged = {item.verdict for item in self.judgements if item.rule.id not in ANALYSIS}
        if not judged & {Verdict.PASS, Verdict.FAIL}:
            return 3
        table = rules()
        if any(table[item.rule].gates and item.rule not in ANALYSIS for item in self.findings):
            return 1
        incomplete = any(item.rule in INCOMPLETE for item in self.findings)
        open_ = any(item.verdict is Verdict.UNKNOWN and item.rule.gates for item in self.judgements)
        return 3 if incomplete or open_ else 0


def check_paths(
    paths: Iterable[Path], device: Device, kernel: Kernel, *, execute: bool = True
) -> Report:
    """Check each path's driver against the device, as one report; `execute` also runs it."""
    trees = find_trees(paths, device)
    reports = [check_tree(tree, device, kernel, execute=execute) for tree in trees]
    findings = {
        (item.rule, item.message, item.span.source, item.span): item
        for report in reports
        for item in report.findings
    }
    ordered = sorted(findings.values(), key=Diagnostic.sort_key)
    return Report(tuple(ordered), tuple(_worst(reports, rule) for rule in rules().values()))


def _worst(reports: list[Report], rule: Rule) -> Judgement:
    given = [item for report in reports for item in report.judgements if item.rule is rule]
    none = Judgement(rule, Verdict.NOT_APPLICABLE, "nothing was checked")
    return max(given, key=lambda item: _WORSE.index(item.verdict), default=none)


def check_tree(
    tree: SourceTree, device: Device, kernel: Kernel, *, execute: bool = True
) -> Report:
    """Check one driver."""
    units = parse_tree(tree, kernel)
    facts = extract(tree, units, kernel)
    findings = [_of_problem(facts, index) for index in range(len(facts.problems))]
    judgements = [_judge_analysis(rules()[rule], facts) for rule in ANALYSIS]
    # The execution rules come last and do not tell again what others have found.
    context = Context(device, facts, units, {"findings": findings})
    for rule in rules().values():
        if rule.id in ANALYSIS or (rule.id in execution.RULES and not execute):
            continue
        if not facts.tree.files:
            judgements.append(Judgement(rule, Verdict.NOT_APPLICABLE, "no file could be read"))
            continue
        words = [_settled(word, facts) for word in CHECKS[rule.id](context)]
        findings += [_of_word(rule, word) for word in words if isinstance(word, Found)]
        judgements.append(_judge(rule, words))
    return Report(tuple(findings), tuple(judgements))


def _settled(word: Word, facts: DriverFacts) -> Word:
    """A missing thing may stand in what could not be analysed; then its absence is not known."""
    blind = any(problem.rule in INCOMPLETE for problem in facts.problems)
    if isinstance(word, Found) and word.absent and blind:
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
    return Judgement(rule, Verdict.PASS)


def _why(word: Word) -> str:
    if isinstance(word, Found):
        return word.message
    span = getattr(word, "span", None)
    return f"{word.why} ({span})" if span else word.why
