# SPDX-License-Identifier: GPL-2.0-or-later
"""Input that is no driver: said so at a place, with the right exit status, never a traceback."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from checks.command import check
from tests.checks.trees import DRIVER, SPEC, copy, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _nul(path: Path) -> Path:
    (path / "vmbell.c").write_bytes(b"int x;\0\0\0")
    return path


def _elf(path: Path) -> Path:
    (path / "vmbell.ko.c").write_bytes(b"\x7fELF\x02\x01" + bytes(range(256)))
    return path / "vmbell.ko.c"


def _latin(path: Path) -> Path:
    (path / "vmbell.c").write_bytes(b"/* caf\xe9 */\n")
    return path


def _lone_return(path: Path) -> Path:
    (path / "vmbell.c").write_bytes(b"int x;\r\n" * 2 + b"int y;\r\r\n")
    return path


def _returns_alone(path: Path) -> Path:
    text = (DRIVER / "vmbell.c").read_bytes()
    (path / "vmbell.c").write_bytes(text.replace(b"\n", b"\r"))
    return path


def _return_first(path: Path) -> Path:
    (path / "vmbell.c").write_bytes(b"\r" + (DRIVER / "vmbell.c").read_bytes())
    return path


def _missing(path: Path) -> Path:
    return path / "vmbell.c"


def _empty_directory(path: Path) -> Path:
    return path


def _directory_named_like_a_file(path: Path) -> Path:
    (path / "x.c").mkdir()
    return path / "x.c"


def _loop(path: Path) -> Path:
    (path / "vmbell.c").symlink_to(path / "vmbell.c")
    return path / "vmbell.c"


def _fifo(path: Path) -> Path:
    os.mkfifo(path / "vmbell.c")
    return path / "vmbell.c"


def _huge(path: Path) -> Path:
    (path / "vmbell.c").write_bytes(b" " * (5 << 20))
    return path / "vmbell.c"


def _other_kind(path: Path) -> Path:
    (path / "notes.txt").write_text("hello\n")
    return path / "notes.txt"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_nul, "not text"),
        (_elf, "not UTF-8"),
        (_latin, "not UTF-8 text (byte 6)"),
        (_lone_return, "a carriage return that ends no line, in line 3"),
        (_returns_alone, "a carriage return that ends no line, in line 1"),
        (_return_first, "a carriage return that ends no line, in line 1"),
        (_missing, "no such file"),
        (_empty_directory, "no C file of a vmbell driver in this directory"),
        (_directory_named_like_a_file, "no C file of a vmbell driver in this directory"),
        (_loop, "cannot be read"),
        (_fifo, "not a regular file"),
        (_huge, "larger than"),
        (_other_kind, "not a .c or .h file"),
    ],
)
def test_unreadable_input_is_told(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    result = _check(make(tmp_path))
    assert "error[PARSE001]" in result.stdout
    assert words in result.stdout
    assert result.exit_code == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("int f(void) {" * 3000, ""),
        ("(" * 3000, "cannot be parsed"),
        ("int x = " + "- " * 5000 + "1;", ""),
        ("#define A B B\n#define B C C\nA\n" + "}" * 500, ""),
        ("#define A0 1 1 1 1 1 1 1 1 1 1\n"
         + "".join(f"#define A{n} " + f"A{n - 1} " * 10 + "\n" for n in range(1, 8))
         + "int x[] = { A7 };\n", "without bounds"),
        ('#include "vmbell.c"\n', ""),
        ("#if (1 +\nint x;\n#endif\n", ""),
        ("#if 1\nint x;\n", ""),
        ("#include\n#define\n#ifdef\n#elif\n#endif\n", ""),
        ('char *s = "open;\n', ""),
        ("int \u202e x;\n", ""),
        ("@ $ `\n", ""),
    ],
    ids=range(12),
)  # fmt: skip
def test_hostile_text_is_survived(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "vmbell.c").write_text(text, encoding="utf-8")
    result = _check(tmp_path)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in {1, 3}
    assert words in result.stdout
    assert "\u202e" not in result.stdout


@pytest.mark.parametrize("size", [0, 1, 200, 1500, 2600])
@pytest.mark.parametrize("file", ["vmbell.c", "vmbell-pci.c", "vmbell-plat.c", "Kconfig"])
def test_a_truncated_file_is_never_fine(tmp_path: Path, file: str, size: int) -> None:
    tree = copy(tmp_path)
    data = (tree / file).read_bytes()
    (tree / file).write_bytes(data[: min(size, len(data) - 30)])
    report = run(tree)
    assert report.findings
    assert report.status in {1, 3}


@pytest.mark.parametrize(
    "file",
    ["vmbell.c", "vmbell-pci.c", "vmbell-plat.c", "Kconfig", "Makefile", "uapi/misc/vmbell.h"],
)
def test_a_missing_file_of_a_directory_is_a_finding(tmp_path: Path, file: str) -> None:
    tree = copy(tmp_path)
    (tree / file).unlink()
    assert run(tree).status == 1


@pytest.mark.parametrize("name", ["Kconfig", "Makefile"])
def test_an_unparsable_side_file_is_told(tmp_path: Path, name: str) -> None:
    tree = copy(tmp_path)
    (tree / name).write_text(
        "config\n\tdepends on (((\n" if name == "Kconfig" else "obj-$(X) := a.o\n"
    )
    found = {item.rule for item in run(tree).findings}
    assert found & {"PARSE001", "KERN133"}


def test_wrong_usage_is_said(tmp_path: Path) -> None:
    spec = tmp_path / "bad.yaml"
    spec.write_text("spec: 2\n")
    for arguments in (
        ["--spec", str(spec)],
        ["--spec", str(tmp_path / "none.yaml")],
        ["--kernel", "1.0", "--spec", str(SPEC)],
        ["--as-of", "6.x", "--spec", str(SPEC)],
        ["--as-of", "2.6", "--spec", str(SPEC)],
        ["--format", "xml"],
    ):
        result = CliRunner().invoke(check, [*arguments, str(DRIVER)])
        assert result.exit_code == 2, arguments
        assert result.stderr
        assert not result.stdout


def _check(*paths: Path) -> Result:
    arguments = ["--spec", str(SPEC), *(str(path) for path in paths)]
    return CliRunner().invoke(check, arguments)
