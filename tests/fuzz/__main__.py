# SPDX-License-Identifier: GPL-2.0-or-later
"""`make fuzz`: every target for its share of the time, then what was executed and what was found.

What new inputs reach is kept in .cache/fuzz, so that the next run goes on from there. An input that
is found is written to tests/fuzz/found, where tests/fuzz/test_replay.py runs it from then on.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.limits import MEGABYTES
from tests.fuzz.targets import CORPORA

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# Bytes of one input: of C, what is read in some milliseconds; but whole drivers are run and edited.
BYTES = {"c": 1024, "rules": 1024, "extract": 1024, "run": 3072, "patch": 6144}
OTHERS = 8192
# Seconds; libFuzzer's own limit is for what Python cannot interrupt, on a busy machine.
STUCK = 60
# Shares of the time: reading C is slow, and there is most to find.
SHARES = {"spec": 2, "tree": 1, "yaml": 1, "kconfig": 1, "makefile": 1, "patch": 4, "c": 6,
          "rules": 6, "extract": 6, "run": 6, "chain": 4}  # fmt: skip
# What is no reader of bytes: specs, drawn by hypothesis, through the whole chain.
CHAIN = "chain"
_STATISTIC = re.compile(r"^stat::(\w+): +(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What became of one target: inputs executed, seconds, megabytes, and inputs that broke it."""

    name: str
    executions: int
    seconds: float
    megabytes: int
    found: tuple[Path, ...]
    words: str


def seeds(name: str) -> list[Path]:
    """The directories with the inputs that a target starts from."""
    rooms = (HERE / "corpus" / room for room in dict.fromkeys((name, CORPORA.get(name, name))))
    return [room for room in rooms if room.is_dir()]


def fuzz(name: str, seconds: int, seed: int) -> Outcome:
    """Run one target in a process of its own, for so many seconds or up to its first crash."""
    corpus, found = ROOT / ".cache/fuzz" / name, HERE / "found" / name
    for place in (corpus, found):
        place.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    start = time.monotonic()
    size = BYTES.get(name, OTHERS)
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.engine", name, f"-max_total_time={seconds}",
         f"-timeout={STUCK}", f"-rss_limit_mb={MEGABYTES}", f"-max_len={size}", f"-seed={seed}",
         f"-artifact_prefix={found}/", "-print_final_stats=1", "-verbosity=0", str(corpus),
         *map(str, seeds(name))],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True,
        errors="replace", check=False,
    )  # fmt: skip
    numbers = dict(_STATISTIC.findall(done.stderr))
    new = tuple(sorted(set(found.iterdir()) - before))
    if done.returncode and not new:
        # It did not come so far as to fuzz.
        raise SystemExit(f"fuzzing {name} failed ({done.returncode}):\n{done.stderr[-4000:]}")
    return Outcome(
        name, int(numbers.get("number_of_executed_units", 0)), time.monotonic() - start,
        int(numbers.get("peak_rss_mb", 0)), new, done.stdout[-3000:] + done.stderr[-3000:],
    )  # fmt: skip


def draw(seconds: int, seed: int) -> Outcome:
    """Made-up specs for so many seconds or up to the first that breaks something."""
    start = time.monotonic()
    words = [str(seconds), *([str(seed)] if seed else [])]
    done = subprocess.run([sys.executable, "-m", "tests.fuzz.chain", *words], cwd=ROOT,
                          capture_output=True, text=True, check=False)  # fmt: skip
    number = re.search(r"^cases: (\d+)$", done.stdout, re.MULTILINE)
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    found = () if number else (HERE / "chain.py",)
    return Outcome(
        CHAIN, int(number[1]) if number else 0, time.monotonic() - start, megabytes, found,
        done.stdout[-3000:] + done.stderr[-9000:],
    )  # fmt: skip


def main() -> int:
    """Fuzz, print a table, and return 1 where an input was found that breaks something."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="for all targets together")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; 0 takes one")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(SHARES)}")
    options = parser.parse_args()
    names = options.targets or list(SHARES)
    if unknown := sorted(set(names) - set(SHARES)):
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(SHARES)}")
    whole = sum(SHARES[name] for name in names)
    print(f"{'TARGET':10} {'EXECUTIONS':>10} {'SECONDS':>8} {'MB':>5}  FOUND", flush=True)
    outcomes = []
    for name in names:
        share = max(1, options.seconds * SHARES[name] // whole)
        one = draw(share, options.seed) if name == CHAIN else fuzz(name, share, options.seed)
        outcomes.append(one)
        told = ", ".join(str(path.relative_to(ROOT)) for path in one.found) or "nothing"
        print(
            f"{name:10} {one.executions:10} {one.seconds:8.0f} {one.megabytes:5}  {told}",
            flush=True,
        )
    executions = sum(one.executions for one in outcomes)
    print(f"{'all':10} {executions:10} {sum(one.seconds for one in outcomes):8.0f}")
    for one in outcomes:
        if one.found:
            print(f"\n{one.name}:\n{one.words}", file=sys.stderr)
    return int(any(one.found for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
