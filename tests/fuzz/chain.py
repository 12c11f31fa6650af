# SPDX-License-Identifier: GPL-2.0-or-later
"""Made-up specs through the whole chain: `python -m tests.fuzz.chain SECONDS [SEED]`.

A spec that is accepted is rendered, for one series after the other; the checker has nothing to say
of that, the contract read out of the C is the spec's as far as it is known, and comparing it with
itself finds nothing, while a change of one fact is found.
"""

from __future__ import annotations

import copy
import string
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis import strategies as st

from checks.contract.find import find_driver
from checks.contract.read import read_contract
from checks.contract.records import rows
from checks.run import check_paths
from gen.diagnostics import Diagnostics
from gen.diff.compare import compare
from gen.diff.records import Side
from gen.generate import generate
from gen.kernel_load import load_kernels
from gen.load import parse_device
from gen.model_restrict import carry
from gen.resources import kernel_directory
from gen.source import Source

ROOT = Path(__file__).parents[2]
WATCH = ROOT / "tests/spec/acme_watch.yaml"
KERNELS = load_kernels(kernel_directory())
PROSE = st.text(string.ascii_letters + " .,;:!?#%&'()*+-/<=>@[]^_{|}~é中", max_size=90)
NUMBERS = st.integers(-(2**31), 2**31 - 1)


@dataclass(frozen=True)
class Case:
    """A spec, the same with one fact changed, and the series to render for."""

    spec: dict[str, Any]
    other: dict[str, Any]
    series: str


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """The made-up watch with other numbers, names, words, hooks and parts."""
    spec: dict[str, Any] = yaml.safe_load(WATCH.read_text(encoding="utf-8"))
    width = draw(st.sampled_from([8, 16, 32]))
    spec["registers"][0] |= {"width": width, "offset": width // 8 * draw(st.integers(0, 6))}
    bits = draw(st.lists(st.integers(0, width - 1), min_size=5, max_size=5, unique=True))
    for event, bit in zip(spec["events"], bits, strict=True):
        event["bit"] = bit
    spec["events"] = draw(st.permutations(spec["events"]))
    spec["hooks"]["panic-notifier"]["priority"] = draw(NUMBERS)
    pci = spec["frontends"][0]
    pci |= {"bar": draw(st.integers(0, 5)), "also": pci["also"][: draw(st.integers(0, 2))]}
    pci["device"]["id"] = draw(st.integers(1, 0xEFFE))
    name = draw(st.from_regex(r"[a-z][a-z0-9]{2,7}(_[a-z]{2,5})?", fullmatch=True))
    spec["device"]["name"], pci["name"] = name, f"{name.replace('_', '-')}-pci"
    for words in (spec["device"], spec["kconfig"], pci["kconfig"], *spec["events"]):
        for key in words.keys() & {"title", "summary", "description", "prompt", "help"}:
            if draw(st.booleans()):
                words[key] = draw(PROSE)
    spec["sysfs"][0]["mode"] = draw(st.sampled_from(["0400", "0440", "0444"]))
    spec["sysfs"][1]["format"] = draw(st.sampled_from(["%x\n", "0x%x\n", "%u\n"]))
    spec["sysfs"][1]["store"]["base"] = draw(st.sampled_from([0, 10, 16]))
    if draw(st.booleans()):
        del spec["sysfs"], spec["documents"]
    spec["kconfig"]["type"] = draw(st.sampled_from(["bool", "tristate"]))
    return spec


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A spec, and what one fact of it is changed to."""
    spec = draw(specs())
    other = copy.deepcopy(spec)
    match draw(st.integers(0, 5)):
        case 0:
            other["registers"][0]["offset"] += spec["registers"][0]["width"] // 8
        case 1:
            free = set(range(8)) - {event["bit"] for event in spec["events"]}
            other["events"][0]["bit"] = min(free)
        case 2:
            other["hooks"]["panic-notifier"]["priority"] ^= 1
        case 3:
            other["frontends"][0]["bar"] = 5 - spec["frontends"][0]["bar"]
        case 4:
            other["frontends"][0]["device"]["id"] += 1
        case 5:
            del other["events"][draw(st.integers(0, 4))]
    return Case(spec, other, draw(st.sampled_from(KERNELS.series)))


def side(spec: dict[str, Any], name: str) -> Side | None:
    """A side of a comparison, if the spec is accepted."""
    text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True)
    device = parse_device(Source(name, text), Diagnostics())
    return None if device is None else Side(name, device)


def prove(case: Case, room: Path) -> None:
    """Take a case through the chain, in an empty directory."""
    one, other = side(case.spec, "one.yaml"), side(case.other, "other.yaml")
    if one is None or other is None:
        reject()
    spec, out = room / "one.yaml", room / "out"
    spec.write_text(one.device.source.text, encoding="utf-8")
    for name, text in generate(spec, case.series, None).files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text, encoding="utf-8")
    kernel = KERNELS.get(case.series)
    carried = carry(one.device, kernel)[0]
    report = check_paths((out,), carried, kernel)
    said = [*map(str, report.findings), *(f"{one.rule.id}: {one.why}" for one in report.undecided)]
    assert not said, "; ".join(said)
    contract = read_contract(find_driver([out]), kernel)
    unknown = {(one.path, one.key) for one in contract.unknown}
    differing = {row for row in contract.rows().items() ^ rows(carried).items()
                 if row[0] not in unknown}  # fmt: skip
    assert not differing, differing
    # An event that is never sent is not told from one that nothing can switch on.
    assert unknown <= (set() if carried.sysfs else {("event[asleep]", "trigger")}), unknown
    assert not compare(one, one).findings
    assert compare(one, other).findings
    assert compare(other, one).findings


def prove_all(case: Case) -> None:
    """The same, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="pvgen-chain-") as room:
        prove(case, Path(room))


def rounds(seconds: float, start: int, size: int = 10) -> int:
    """Draw so many cases at a time until the time is over; how many there were."""
    count, end = 0, time.monotonic() + seconds

    def counted(case: Case) -> None:
        nonlocal count
        prove_all(case)
        count += 1

    while time.monotonic() < end:
        quiet = settings(max_examples=size, deadline=None, database=None, print_blob=True,
                         suppress_health_check=list(HealthCheck),
                         phases=[Phase.generate, Phase.shrink])  # fmt: skip
        seed(start)(quiet(given(case=cases())(counted)))()
        start += 1
    return count


if __name__ == "__main__":
    given_seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 2**32
    print(f"seed {given_seed}")
    print(f"cases: {rounds(float(sys.argv[1]), given_seed)}")
