# SPDX-License-Identifier: GPL-2.0-or-later
"""The report's forms, the commands, and the document of the rules."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from checks.catalogue import document
from checks.command import check, explain, rules_command
from checks.rule import rules
from gen.diff.policy import diff_rules
from gen.source import read_source
from tests.checks.trees import OUT, SPEC, change, copy

if TYPE_CHECKING:
    from click.testing import Result

ROOT = Path(__file__).parent.parent.parent
REAL = ROOT / "spec" / "pvpanic.yaml"


def _check(*arguments: str, spec: Path = SPEC) -> Result:
    return CliRunner().invoke(check, ["--spec", str(spec), *arguments])


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    tree = copy(tmp_path)
    change(tree, "vmbell.c", ".priority = 3 * 4", ".priority = 1")
    change(tree, "vmbell-plat.c", '"BELL0001"', '"BELL0OO1"')
    return tree


def test_text_shows_the_source_and_the_spec(bad: Path) -> None:
    result = _check(str(bad))
    lines = result.stdout.splitlines()
    start = lines.index(
        f"{bad}/vmbell.c:60:14: error[SPEC025]: the priority is 1; the spec says 12"
    )
    assert lines[start + 1 : start + 3] == ["  \t.priority = 1,", "  \t            ^"]
    assert lines[start + 3].endswith("vmbell.yaml:50:30: note: the spec says so here")
    assert "  help: did you mean 'BELL0001'?" in lines
    assert lines[-1] == "2 errors"
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout


def test_verdicts_tell_every_rule(bad: Path) -> None:
    result = _check(str(bad), "--verdicts")
    told = {line.split()[0] for line in result.stdout.splitlines() if "  fail  " in line}
    assert told == {"SPEC012", "SPEC025"}
    assert all(f"\n{rule}" in result.stdout for rule in rules())


def _spans(data: dict[str, Any]) -> list[dict[str, Any]]:
    found = data["findings"]
    return [f["place"] for f in found] + [r["place"] for f in found for r in f["related"]]


@pytest.mark.parametrize("tree", ["bad", "good", "empty"])
def test_json_has_the_published_form(tree: str, bad: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    path, spec = {"bad": (bad, SPEC), "good": (OUT, REAL), "empty": (empty, SPEC)}[tree]
    result = _check("--format", "json", str(path), spec=spec)
    data = json.loads(result.stdout)
    schema = json.loads(resources.files("checks").joinpath("report.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(data)
    assert data["status"] == result.exit_code == {"bad": 1, "good": 0, "empty": 3}[tree]
    assert bool(data["findings"]) is (tree != "good")
    if tree == "bad":
        for place in _spans(data):
            line = read_source(Path(place["path"])).line(place["line"])
            assert line[place["column"] - 1 :][: place["length"]].strip()


@pytest.mark.parametrize("good", [True, False])
def test_sarif_is_complete(good: bool, bad: Path) -> None:
    path, spec = (OUT, REAL) if good else (bad, SPEC)
    data = json.loads(_check("--format", "sarif", str(path), spec=spec).stdout)
    assert data["version"] == "2.1.0"
    (run,) = data["runs"]
    assert run["tool"]["driver"]["name"] == "pvgen"
    table = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in table] == list(rules())
    assert bool(run["results"]) is not good
    for result in run["results"]:
        assert table[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["endColumn"] > place["region"]["startColumn"] >= 1
        assert result["relatedLocations"][0]["id"] == 1


def test_sarif_names_are_uris(tmp_path: Path) -> None:
    tree = tmp_path / "a driver 100%"
    copy(tmp_path).rename(tree)
    change(tree, "vmbell.c", ".priority = 3 * 4", ".priority = 1")
    data = json.loads(_check("--format", "sarif", str(tree)).stdout)
    location = data["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"].endswith("/a%20driver%20100%25/vmbell.c")


def test_github_annotations_are_escaped(tmp_path: Path) -> None:
    tree = tmp_path / "a,b:c"
    copy(tmp_path).rename(tree)
    change(tree, "vmbell-pci.c", '"vmbell-pci"', '"50%"')
    lines = _check("--format", "github", str(tree)).stdout.splitlines()
    line = next(line for line in lines if "title=SPEC021" in line)
    head, _, message = line[2:].partition("::")
    assert head.startswith("error file=")
    assert "/a%2Cb%3Ac/vmbell-pci.c,line=32,col=10,endColumn=15,title=SPEC021" in head
    assert message == "the driver is called '50%25', the spec says 'vmbell-pci'"


def test_github_is_silent_about_a_good_driver() -> None:
    result = _check("--format", "github", str(OUT), spec=REAL)
    assert result.stdout == ""
    assert result.exit_code == 0


def test_explain_and_rules() -> None:
    result = CliRunner().invoke(explain, ["spec014"])
    assert result.exit_code == 0
    assert "SPEC014: The registers are mapped from the spec's BAR" in result.stdout
    assert "Reference: " in result.stdout
    assert "Bad:" in result.stdout
    result = CliRunner().invoke(explain, ["SPEC0144"])
    assert result.exit_code == 2
    assert "did you mean 'SPEC014'?" in result.stderr
    result = CliRunner().invoke(rules_command)
    listed = [line.split()[0] for line in result.stdout.splitlines()]
    assert listed == [*rules(), *diff_rules()]


def test_the_document_of_the_rules_is_fresh() -> None:
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert text == document(rules().values()), "run python -m checks.catalogue"
