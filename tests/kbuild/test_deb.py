# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package: lintian's judgement, what it holds, the same bytes twice, and refusals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gen.deb import License, license_of
from tests.conftest import ROOT

PERSON = {"DEBFULLNAME": "A Person", "DEBEMAIL": "person@mail.test"}
OTHER = ROOT / "tests/spec/acme_watch.yaml"


def pvgen_deb(
    out: Path, spec: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    words = ["--spec", str(spec)] if spec else []
    return subprocess.run(
        [sys.executable, "-m", "gen.cli", "deb", "--out", str(out), *words],
        cwd=ROOT,
        env={**os.environ, **PERSON, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def built(out: Path, spec: Path | None = None, **environment: str) -> Path:
    run = pvgen_deb(out, spec, **environment)
    assert run.returncode == 0, run.stderr
    assert [path.name for path in out.iterdir()] == [Path(run.stdout.strip()).name]
    return out / Path(run.stdout.strip()).name


def output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.kbuild
@pytest.mark.parametrize("spec", [None, OTHER], ids=["own", "other"])
def test_lintian_has_nothing_to_say(tmp_path: Path, spec: Path | None) -> None:
    package = built(tmp_path / "out", spec, SOURCE_DATE_EPOCH="1790000000")
    words = ["lintian", "--allow-root", "--fail-on", "error,warning", str(package)]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, ""), run.stdout + run.stderr


@pytest.mark.kbuild
def test_the_package_holds_the_tree_and_is_the_same_twice(tmp_path: Path) -> None:
    first = built(tmp_path / "first", SOURCE_DATE_EPOCH="1790000000")
    second = built(tmp_path / "second", SOURCE_DATE_EPOCH="1790000000", TZ="Asia/Tokyo")
    assert first.read_bytes() == second.read_bytes()
    later = built(tmp_path / "later", SOURCE_DATE_EPOCH="1790009999")
    assert first.read_bytes() != later.read_bytes()
    output("dpkg-deb", "-R", first, tmp_path / "files")
    tree = Path(output(sys.executable, "-m", "gen.cli", "dkms", "--out", tmp_path / "src").strip())
    packed = tmp_path / "files/usr/src" / tree.name

    def texts(top: Path) -> dict[Path, str]:
        files = [path for path in top.rglob("*") if path.is_file() and path.name[0] != "."]
        return {path.relative_to(top): path.read_text(encoding="utf-8") for path in files}

    assert texts(packed) == texts(tree)
    assert "/usr/lib/dkms/common.postinst" in (tmp_path / "files/DEBIAN/postinst").read_text()
    assert "dkms remove" in (tmp_path / "files/DEBIAN/prerm").read_text()
    assert output("dpkg-deb", "-f", first, "Maintainer").strip() == "A Person <person@mail.test>"
    assert output("dpkg-deb", "-f", first, "Depends").startswith("dkms")


def test_a_spec_that_no_commit_has_needs_a_date(tmp_path: Path) -> None:
    spec = tmp_path / "own.yaml"
    spec.write_bytes(OTHER.read_bytes())
    run = pvgen_deb(tmp_path / "out", spec)
    assert run.returncode == 3
    assert "set SOURCE_DATE_EPOCH" in run.stderr
    assert not (tmp_path / "out").exists()


def test_a_package_needs_a_maintainer(tmp_path: Path) -> None:
    nobody = {"DEBEMAIL": "", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    nowhere = {"GIT_DIR": str(tmp_path / "none"), "SOURCE_DATE_EPOCH": "1790000000"}
    run = pvgen_deb(tmp_path / "out", None, **nobody, **nowhere)
    assert run.returncode == 3
    assert "set DEBFULLNAME and DEBEMAIL" in run.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("spdx", "name", "common"),
    [
        ("GPL-2.0-only", "GPL-2", "GPL-2"),
        ("GPL-2.0+", "GPL-2+", "GPL-2"),
        ("LGPL-2.1-or-later", "LGPL-2.1+", "LGPL-2.1"),
        ("MIT", "MIT", ""),
    ],
)
def test_debian_names_licences_in_its_own_way(spdx: str, name: str, common: str) -> None:
    found = license_of(spdx)
    assert isinstance(found, License)
    assert (found.name, found.common) == (name, common)
