# SPDX-License-Identifier: GPL-2.0-or-later
"""One row of the matrix: a series and a contract, from the spec to a judged boot.

A row renders the driver for the series, checks it, compiles it against that kernel's headers, and
plays every scenario on that kernel. A step that fails ends the row.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from checks.report import as_text
from checks.run import check_paths
from gen.generate import find_target, generate, read_device
from gen.lab import bench as benches
from gen.lab import guest, kernel, outcome
from gen.lab.board import BOARDS, PC
from gen.lab.buildroot import open_root
from gen.lab.command import select
from gen.lab.problem import LabError
from gen.lab.runner import Runner
from gen.lab.scenario import Verdict
from gen.lab.stories import all_scenarios
from gen.model_restrict import NothingLeftError, carry, restrict
from gen.output import write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from gen.generate import Generation
    from gen.kernel import Kernel
    from gen.lab.board import Board
    from gen.lab.scenario import Outcome

STEPS = ("render", "check", "build", "boot")


class Contract(StrEnum):
    """Which of the spec's features a row has: all, or those of the series' own driver."""

    FULL = "full"
    AS_OF = "as-of"


class End(StrEnum):
    """How a row or a step of it ended; `ERROR` where the question could not be answered."""

    PASS = "pass"  # noqa: S105 (no password)
    FAIL = "FAIL"
    ERROR = "ERROR"
    INAPPLICABLE = "not applicable"


@dataclass(frozen=True)
class Row:
    """A kernel series, a contract and an architecture.

    Its name is such as `6.1:full`, or `6.12:full:arm64` where it is not the usual architecture.
    """

    series: str
    contract: Contract
    architecture: str = PC.architecture

    def __str__(self) -> str:
        return ":".join(self._words)

    @property
    def _words(self) -> tuple[str, ...]:
        other = () if self.architecture == PC.architecture else (self.architecture,)
        return (self.series, self.contract, *other)

    @property
    def board(self) -> Board:
        """The machine type that it is played on."""
        return BOARDS[self.architecture]

    @property
    def as_of(self) -> str | None:
        """The release whose contract is rendered, as `--as-of` takes it."""
        return self.series if self.contract is Contract.AS_OF else None

    @property
    def directory(self) -> str:
        """The name of the directory with the row's files."""
        return "-".join(self._words)


@dataclass(frozen=True)
class Result:
    """What became of a row. `steps` has the steps that were done; `seconds` is the whole time.

    `passed` and `played` count scenarios; those that are not applicable to the contract count in
    neither. `release` is the booted kernel's.
    """

    row: Row
    end: End = End.PASS
    reason: str = ""
    steps: Mapping[str, End] = field(default_factory=dict)
    release: str | None = None
    warnings: int | None = None
    passed: int = 0
    played: int = 0
    seconds: float = 0.0
    logs: str = ""

    def data(self) -> dict[str, Any]:
        """For JSON."""
        row = {"name": str(self.row), **asdict(self.row)}
        rest = {key: value for key, value in asdict(self).items() if key != "row"}
        return {"row": row, **rest, "end": self.end.name.lower(), "steps": self._steps()}

    def _steps(self) -> dict[str, str | None]:
        return {
            step: self.steps[step].name.lower() if step in self.steps else None for step in STEPS
        }


def result_of(data: Mapping[str, Any]) -> Result:
    """The result that `Result.data` wrote.

    Raises:
        KeyError, TypeError, ValueError: it did not.
    """
    where = data["row"]
    row = Row(where["series"], Contract(where["contract"]), where["architecture"])
    steps = {name: End[end.upper()] for name, end in data["steps"].items() if end}
    known = {key: value for key, value in data.items() if key not in {"row", "end", "steps"}}
    return Result(row=row, end=End[data["end"].upper()], steps=steps, **known)


def rows_of(kernels: Sequence[Kernel]) -> list[Row]:
    """Both contracts of each series that has packages; the others have no kernel to boot.

    On another architecture the full contract is played: it is the same C.
    """
    real = [kernel for kernel in kernels if kernel.packages is not None]
    return [
        row
        for kernel in real
        for row in (
            *(Row(kernel.series, contract) for contract in Contract),
            *(Row(kernel.series, Contract.FULL, other) for other in kernel.architectures),
        )
    ]


def without_rows(kernels: Sequence[Kernel]) -> list[str]:
    """A sentence for each series that has no row, since no kernel of it is to be had."""
    return [
        f"{kernel.series} has no row: Debian has no kernel of it"
        + ("" if kernel.verified else ", and what is known of it is unverified")
        for kernel in kernels
        if kernel.packages is None
    ]


def applies(row: Row, spec: Path | None) -> bool:
    """Whether the series' own driver had anything of the spec, where that is the row's contract.

    Raises:
        GenerationError: the spec is bad, or nothing is known of the series.
    """
    try:
        _require(row, spec)
    except NothingLeftError:
        return False
    return True


def _require(row: Row, spec: Path | None) -> None:
    """Raise NothingLeftError where the series' driver had none of the events or frontends."""
    target = find_target(row.series, row.as_of)
    if target.as_of:
        restrict(read_device(spec), target.as_of)


def exit_status(results: Sequence[Result]) -> int:
    """1 if a row failed; 3 if one could not be answered, or none was played; else 0."""
    ends = {result.end for result in results}
    if End.FAIL in ends:
        return 1
    return 3 if End.ERROR in ends or End.PASS not in ends else 0


@dataclass
class Play:
    """Plays one row in the directory `work`, with `jobs` guests at a time.

    `scenarios` names those to play; all if it is empty.
    """

    row: Row
    spec: Path | None
    work: Path
    say: Callable[[str], None]
    jobs: int = 2
    scenarios: tuple[str, ...] = ()
    _steps: dict[str, End] = field(default_factory=dict)

    def run(self) -> Result:
        """Play the row. What stops it is in the result.

        Raises:
            GenerationError: the spec is bad, or nothing is known of the series.
            OSError: the disk is full, or the directory cannot be written.
        """
        started = time.monotonic()
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        result = Result(self.row, logs=str(self.work))
        try:
            result = self._run(result)
        except NothingLeftError as error:
            result = replace(result, end=End.INAPPLICABLE, reason=str(error))
        except LabError as error:
            result = replace(result, end=End.ERROR, reason=str(error))
        seconds = round(time.monotonic() - started, 1)
        return replace(result, steps=dict(self._steps), seconds=seconds)

    def _run(self, result: Result) -> Result:
        generation = self._render()
        driver = self.work / "driver"
        if not self._checked(driver, generation):
            return replace(result, end=End.FAIL, reason="the checker has findings: check.txt")
        root = open_root(generation.kernel, self.row.board, self._tell)
        self._tell("building")
        built = root.build(generation.files, self.work / "modules")
        (self.work / "build.log").write_text(built.log)
        result = replace(result, warnings=len(built.warnings))
        clean = built.succeeded and not built.warnings
        self._steps["build"] = End.PASS if clean else End.FAIL
        if not built.succeeded:
            return replace(result, end=End.FAIL, reason="it does not compile: build.log")
        result = self._boot(result, generation)
        if built.warnings:
            return replace(result, end=End.FAIL, reason="the build has warnings: build.log")
        return result

    def _tell(self, text: str) -> None:
        self.say(f"{self.row}: {text}")

    def _render(self) -> Generation:
        """Render into `driver`.

        Raises:
            NothingLeftError: the series' driver had none of the spec's events or frontends.
        """
        _require(self.row, self.spec)
        self._tell("rendering")
        generation = generate(self.spec, self.row.series, self.row.as_of)
        write(self.work / "driver", generation.files)
        self._steps["render"] = End.PASS
        return generation

    def _checked(self, driver: Path, generation: Generation) -> bool:
        self._tell("checking")
        device = carry(generation.device, generation.kernel)[0]
        report = check_paths([driver], device, generation.kernel)
        (self.work / "check.txt").write_text(as_text(report) + "\n")
        self._steps["check"] = End.PASS if report.status == 0 else End.FAIL
        return report.status == 0

    def _boot(self, result: Result, generation: Generation) -> Result:
        """Play every scenario; what failed keeps the directory of its boot."""
        device = carry(generation.device, generation.kernel)[0]
        bench = benches.inspect(device, self.row.board)
        modules = kernel.read_modules(self.work / "modules", device)
        suites, architecture = generation.kernel.suites, self.row.architecture
        image = kernel.find_image(modules.release, None, suites, self._tell, architecture)
        work = self.work / "guest"
        work.mkdir()
        try:
            files = guest.build(modules, image, work, bench.board)
            runner = Runner(bench, files, self.work / "boots", self._tell, self.jobs)
            outcomes = runner.run(select(all_scenarios(bench), self.scenarios))
        finally:
            shutil.rmtree(work)
        (self.work / "scenarios.json").write_text(outcome.as_json(outcomes, bench, modules.release))
        (self.work / "scenarios.txt").write_text(outcome.table(outcomes, colour=False) + "\n")
        return self._judged(replace(result, release=modules.release), outcomes)

    def _judged(self, result: Result, outcomes: Sequence[Outcome]) -> Result:
        status = outcome.exit_status(outcomes, allow_unavailable=False)
        end = {0: End.PASS, 1: End.FAIL}.get(status, End.ERROR)
        self._steps["boot"] = end
        played = [one for one in outcomes if one.verdict is not Verdict.INAPPLICABLE]
        bad = [one for one in played if one.verdict is not Verdict.PASS]
        reason = "; ".join(f"{one.name}: {one.reason or one.verdict}" for one in bad)
        return replace(
            result, end=end, reason=reason, passed=len(played) - len(bad), played=len(played)
        )
