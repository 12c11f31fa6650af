# SPDX-License-Identifier: GPL-2.0-or-later
"""The checker beside the tools that kernel developers have: `python -m tests.mutants.bench`.

Time and memory on the rendered driver, the share of mutants that each tool says anything new about,
and how the checker's time grows with the device.
"""

from __future__ import annotations

import multiprocessing
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tests.conftest import ROOT
from tests.kbuild.kernels import copy_driver
from tests.mutants import growth
from tests.mutants.catalogue import subjects
from tests.mutants.operators import Family, Mutant, mutants
from tests.mutants.targets import time_targets
from tests.mutants.text import changed
from tests.mutants.tools import Tool, tools

if TYPE_CHECKING:
    from tests.mutants.measure import Cost

LIMIT = 60.0


def sample(each: int) -> list[Mutant]:
    """So many mutants of each family, spread over its operators; all of them compile."""
    (subject,) = subjects("ours")
    found = []
    for family in Family:
        some = [m for m in mutants(subject.driver, family)
                if not m.operator.breaks and m.change.file.suffix in {".c", ".h"}]  # fmt: skip
        count = min(each, len(some))
        found += [some[number * len(some) // count] for number in range(count)]
    return found


def fresh(directory: Path) -> Path:
    """A copy of the rendered driver."""
    shutil.rmtree(directory, ignore_errors=True)
    return copy_driver(ROOT / "out", directory)


def costs(present: list[Tool], directory: Path, runs: int) -> dict[str, list[Cost]]:
    """Some runs of each tool on a clean copy; by turns, so that a busy machine is so to all."""
    found: dict[str, list[Cost]] = {tool.name: [] for tool in present}
    for _ in range(runs):
        for tool in present:
            found[tool.name].append(tool.run(fresh(directory)))
    return found


def notices(tool: Tool, mutant: Mutant, before: Counter[str], warm: Path, place: Path) -> bool:
    """Whether a tool says anything about a mutant that it does not say about the driver.

    `warm` has what the tool left beside the driver, so that it need not do all of it again; it
    notes paths, so it is copied to where it was made.
    """
    shutil.rmtree(place)
    shutil.copytree(warm, place)
    file = place / mutant.change.file
    text = changed(file.read_text(encoding="utf-8"), mutant.change).text
    file.write_text(text, encoding="utf-8")
    after = Counter(tool.messages(tool.rerun(place, file).output))
    return bool(after - before)


def compare(runs: int, each: int, without: tuple[str, ...]) -> None:
    """The table of tools."""
    chosen = sample(each)
    click.echo(
        f"On the rendered driver; times are medians of {runs} runs; noticed: of "
        f"{len(chosen)} mutants, {each} from each family, those with any new message.\n"
    )
    click.echo(f"{'tool':14} {'seconds':>8} {'ratio':>7} {'MiB':>6} {'messages':>8} {'noticed':>9}"
               "  how")  # fmt: skip
    everything = tools()
    present = [tool for tool in everything if not tool.lacking and tool.name not in without]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place, warm = Path(name) / "driver", Path(name) / "warm"
        table = costs(present, place, runs)
        base = statistics.median(item.seconds for item in table[present[0].name])
        for tool in present:
            seconds = statistics.median(item.seconds for item in table[tool.name])
            memory = max(item.memory for item in table[tool.name])
            before = Counter(tool.messages(table[tool.name][-1].output))
            fresh(place)
            if tool.builds:
                tool.run(place)
            shutil.rmtree(warm, ignore_errors=True)
            shutil.copytree(place, warm)
            killed = sum(notices(tool, mutant, before, warm, place) for mutant in chosen)
            click.echo(
                f"{tool.name:14} {seconds:8.2f} {seconds / base:7.2f} {memory:6.0f} "
                f"{before.total():8} {killed:4} of {len(chosen):<3} {tool.how}"
            )
    for tool in everything:
        if tool not in present:
            click.echo(f"{tool.name:14} not run: {tool.lacking or 'as asked'}")


def _point(pair: tuple[int, int]) -> growth.Point:
    return growth.point(*pair)


def grow() -> None:
    """The table of sizes. A size that takes too long ends the table's part."""
    click.echo(
        "\nA made-up device of growing size, rendered and checked in one process;\n"
        "seconds of the processor's time, medians of 3:\n"
    )
    click.echo(
        f"{'events':>6} {'frontends':>9} {'lines':>6} {'functions':>9} {'render s':>9} "
        f"{'check s':>8} {'ms/function':>11} {'ms/event':>8}"
    )
    series = [
        [(events, 1) for events in growth.EVENTS],
        [(4, number) for number in growth.FRONTENDS],
    ]
    for sizes in series:
        for size in sizes:
            with multiprocessing.get_context("fork").Pool(1) as pool:
                try:
                    one = pool.apply_async(_point, (size,)).get(LIMIT)
                except multiprocessing.TimeoutError:
                    click.echo(f"{size[0]:6} {size[1]:9} more than {LIMIT:.0f} s")
                    break
            click.echo(
                f"{one.events:6} {one.frontends:9} {one.lines:6} {one.functions:9} "
                f"{one.render:9.3f} {one.check:8.3f} "
                f"{1000 * one.check / one.functions:11.2f} {1000 * one.check / one.events:8.2f}"
                + ("" if one.status == 0 else f"  status {one.status}")
            )


def promise(runs: int) -> None:
    """The table of targets, of the fastest of some runs, each in a process of its own."""
    click.echo(
        "\nEvery series rendered and checked in one process; seconds of the processor's time in\n"
        f"the fastest of {runs} runs, the first row with what is read for all:\n"
    )
    found = []
    for number in range(runs):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            found.append(pool.apply(time_targets, (number,)))
    click.echo(f"{'series':>6} {'render s':>9} {'check s':>8}")
    best = min(found, key=lambda one: sum(row.seconds for row in one))
    for row in best:
        said = f"  status {row.status}" if row.status else ""
        click.echo(f"{row.series:>6} {row.render:9.3f} {row.check:8.3f}{said}")
    sums = [sum(row.seconds for row in one) for one in found]
    told = ", ".join(f"{one:.2f}" for one in sums)
    click.echo(f"all of them: {min(sums):.2f} s; the runs took {told} s")


@click.command()
@click.option("--runs", default=3, show_default=True, help="How often each tool is timed.")
@click.option("--each", default=6, show_default=True, help="Mutants from each family.")
@click.option("--only", type=click.Choice(["tools", "growth", "targets"]), help="Only this part.")
@click.option("--without", multiple=True, help="A tool not to run, such as Coccinelle.")
def main(runs: int, each: int, only: str | None, without: tuple[str, ...]) -> None:
    """Time all targets, compare the checker with other tools, and show how it grows."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    # First, as long as this process has read nothing that those would inherit.
    if only in {None, "targets"}:
        promise(runs)
    if only in {None, "tools"}:
        compare(runs, each, without)
    if only in {None, "growth"}:
        grow()


if __name__ == "__main__":
    main()
