# SPDX-License-Identifier: GPL-2.0-or-later
"""The archive: whose sources it uses, and what a killed run may leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from gen.lab import archive
from gen.lab.archive import Archive, Origin
from gen.lab.problem import LabError

ORIGINS = (
    Origin("http://archive.example/linux/", "stone", "main", "/keys.gpg"),
    Origin("http://archive.example/linux/", "stone-updates", "main"),
    Origin("http://security.example/", "stone-security", "main"),
)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine with these sources, whose tools only note what they are asked."""
    asked: list[list[str]] = []

    def run(arguments: list[object], **_: object) -> str:
        words = [str(argument) for argument in arguments]
        asked.append(words)
        if "madison" in words:
            return " thing | 1:2-3 | http://archive.example stone/main amd64 Packages\n"
        if "--print-uris" in words:
            return "'http://archive.example/thing.deb' thing.deb 7 SHA256:0123\n"
        if "download-file" in words:
            Path(words[-2]).write_text("package")
        if "-x" in words:
            raise LabError("killed")
        return ""

    monkeypatch.setattr(archive, "run", run)
    monkeypatch.setattr(archive, "machine_origins", lambda: ORIGINS)
    return asked


def test_source_lines_keep_the_key() -> None:
    line = ORIGINS[0].line("arm64")
    assert line == ("deb [arch=arm64 signed-by=/keys.gpg] http://archive.example/linux/ stone main")


def test_other_suites_join_only_archives_that_have_whole_releases() -> None:
    added = set(archive.extend(ORIGINS, ("wood",))) - set(ORIGINS)
    assert added == {Origin("http://archive.example/linux/", "wood", "main", "/keys.gpg")}


def test_security_updates_of_another_release_are_where_those_of_the_machine_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = set(archive.extend(ORIGINS, ("wood-security",))) - set(ORIGINS)
    assert added == {Origin("http://security.example/", "wood-security", "main")}
    monkeypatch.setattr(archive, "machine_origins", lambda: ORIGINS[:2])
    found = archive.of_suites(("wood", "wood-security"))
    assert found == (Origin("http://archive.example/linux/", "wood", "main", "/keys.gpg"),)


def test_backports_follow_from_the_release() -> None:
    assert archive.backports(ORIGINS) == ("stone-backports",)


def test_unknown_keys_of_a_source_are_left_out() -> None:
    assert archive._fields("http://x/ stone main $(SIGNED_BY)")[3] is None
    assert archive._fields("http://x/ stone main /keys/a b.gpg")[3] == "/keys/a b.gpg"


def test_nothing_half_unpacked_is_trusted(tmp_path: Path, machine: list[list[str]]) -> None:
    lab = Archive(cache=tmp_path)
    with pytest.raises(LabError, match="killed"):
        lab.unpack("thing")
    assert lab.kept("thing") is None
    assert list((tmp_path / "unpacked").iterdir()) == []
    assert list((tmp_path / "partial").rglob("*.deb")), "the download is kept for the next run"
    assert any("thing=1:2-3" in words for words in machine)


def test_every_apt_call_uses_the_private_configuration(
    tmp_path: Path, machine: list[list[str]]
) -> None:
    with pytest.raises(LabError):
        Archive(cache=tmp_path).unpack("thing")
    apt = [words for words in machine if "apt" in words[0]]
    assert any("download-file" in words for words in apt)
    for words in apt:
        assert words[1] == "-c"
        assert words[2].startswith(str(tmp_path))
    text = next((tmp_path / "apt").rglob("apt.conf")).read_text()
    assert f'Dir::State::status "{tmp_path}' in text


def test_fresh_lists_are_not_fetched_again(tmp_path: Path, machine: list[list[str]]) -> None:
    lab = Archive(cache=tmp_path)
    assert lab.has("thing")
    assert lab.has("thing")
    assert sum("update" in words for words in machine) == 1


def test_a_package_that_was_unpacked_is_found_without_asking(tmp_path: Path) -> None:
    place = tmp_path / "unpacked" / "thing_1%3a2-3_amd64"
    place.mkdir(parents=True)
    assert Archive(cache=tmp_path).kept("thing") == place
    assert Archive(cache=tmp_path).kept("thin") is None
