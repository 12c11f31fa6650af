# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers that are fetched by several runs at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from tests.kernel import fetch

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gen.kernel import Kernel


def test_another_run_may_make_the_links_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "linux-headers-6.1.0-1-amd64"
    common = "linux-headers-6.1.0-1-common"
    place = tmp_path / "headers" / name

    def unpack(package: str) -> Path:
        link = place / package
        if not link.is_symlink():
            link.symlink_to("of-the-other-run")
        return tmp_path / package

    monkeypatch.setattr(fetch, "cache_directory", lambda: tmp_path)
    monkeypatch.setattr(
        fetch, "find_headers", lambda *_: SimpleNamespace(suites=("suite",), package=name)
    )
    monkeypatch.setattr(fetch, "Archive", lambda *_, **__: SimpleNamespace(unpack=unpack))
    assert fetch.fetch_headers(cast("Kernel", None)) == place / name
    for package in (name, common):
        assert (place / package).readlink() == tmp_path / package / "usr/src" / package
    assert sorted(path.name for path in place.iterdir()) == [name, common]
