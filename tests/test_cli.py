# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of rendering: exit statuses, what is printed where, and the shipped output."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from gen.cli import main
from tests.conftest import MEASURED, ROOT

if TYPE_CHECKING:
    from pathlib import Path


def pvgen(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gen.cli", *words],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"} | MEASURED,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_committed_driver_is_fresh() -> None:
    run = pvgen("gen", "--check")
    assert run.returncode == 0, run.stdout
    assert run.stdout == ""


def test_a_stale_directory_shows_its_diff(tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(ROOT / "out", out)
    driver = out / "pvpanic.c"
    driver.write_text(driver.read_text().replace("iowrite8", "iowrite16"))
    before = driver.read_text()
    run = pvgen("gen", "--check", "--out", str(out))
    assert run.returncode == 1
    assert "+\t\t\tiowrite8(event, pi->base);" in run.stdout
    assert "is stale" in run.stderr
    assert driver.read_text() == before


def test_nothing_to_compare_with_is_no_success(tmp_path: Path) -> None:
    assert pvgen("gen", "--check", "--out", str(tmp_path / "none")).returncode == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gen", "--spec", "missing.yaml"], "missing.yaml:1:1: error[YAML006]"),
        (["gen", "--spec", "tests/spec/bad/SPEC-BIT-RANGE.yaml"], "error[SPEC-BIT-RANGE]"),
        (["gen", "--kernel", "6.11"], "no facts about Linux 6.11"),
        (["gen", "--as-of", "x"], "'x' is not a release"),
        (["gen", "--frobnicate"], "No such option"),
        (["gen", "--out", "README.md"], "is a file"),
        (["gen", "--out", "/"], "no place for rendered files"),
        (["gen", "--kernel", ""], "no facts about Linux"),
        (["gen", "--as-of", "6.01"], "'6.01' is not a release"),
        (["frobnicate"], "No such command"),
    ],
)
def test_wrong_usage_and_bad_specs_exit_2(words: list[str], message: str) -> None:
    run = pvgen(*words)
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_the_spec_is_found_from_anywhere(tmp_path: Path) -> None:
    run = pvgen("gen", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    for path in (ROOT / "out").rglob("*"):
        relative = path.relative_to(ROOT / "out")
        written = tmp_path / "out" / relative
        if path.suffix in {".c", ".h"} and not path.name.endswith(".mod.c"):
            assert written.read_bytes() == path.read_bytes()


def test_messages_are_coloured_only_on_a_terminal() -> None:
    assert "\x1b[" not in pvgen("gen", "--spec", "missing.yaml").stderr


@pytest.mark.parametrize("command", [["gen"], ["check", "out"], ["rules"], ["--help"]])
def test_a_closed_or_full_output_is_no_finding(command: list[str]) -> None:
    """Status 1 is for findings alone."""
    line = 'exec "$0" -m gen.cli "$@" '
    for redirection, statuses in ((">&-", {0}), (">/dev/full", {0, 3}), ("2>&-", {0})):
        run = subprocess.run(
            ["sh", "-c", line + redirection, sys.executable, *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode in statuses, (redirection, run.stderr)
        assert "Traceback" not in run.stderr


def test_commands_have_help() -> None:
    for name in main.list_commands(click.Context(main)):
        run = pvgen(name, "--help")
        assert run.returncode == 0
        assert run.stdout.startswith("Usage:")


def test_an_unverified_series_is_told_wherever_something_is_made_for_it(tmp_path: Path) -> None:
    """In the run, in each file's banner, and when the result is checked; a verified one is not."""
    for series, unverified in (("6.6", True), ("6.12", False)):
        out = tmp_path / series
        made = CliRunner().invoke(main, ["gen", "--kernel", series, "--out", str(out)])
        checked = CliRunner().invoke(main, ["check", "--kernel", series, str(out)])
        assert (made.exit_code, checked.exit_code) == (0, 0)
        sentence = f"known of Linux {series} is unverified"
        places = [made.stderr, checked.stderr, *(f.read_text() for f in out.glob("*.[ch]"))]
        assert len(places) > 4
        assert [sentence in place for place in places] == [unverified] * len(places)


def paths() -> list[tuple[str, click.Parameter]]:
    """Each parameter that is a path, with its command's name."""
    context = click.Context(main)
    commands = {name: main.get_command(context, name) for name in main.list_commands(context)}
    found = [(name, one) for name, command in commands.items() if command for one in command.params]
    return [(name, one) for name, one in found if isinstance(one.type, click.Path)]


@pytest.mark.parametrize(("name", "parameter"), paths(), ids=lambda one: getattr(one, "name", one))
def test_an_empty_path_is_wrong_usage(
    name: str, parameter: click.Parameter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    option = [parameter.opts[0]] if isinstance(parameter, click.Option) else []
    ran = CliRunner().invoke(main, [name, *option, ""])
    assert ran.exit_code == 2
    assert "an empty word names no place" in ran.output
    assert not list(tmp_path.iterdir())
