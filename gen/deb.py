# SPDX-License-Identifier: GPL-2.0-or-later
"""`pvgen deb`: a Debian package of the DKMS source tree, built by debhelper.

The same inputs give the same bytes: debhelper takes all times from the changelog, whose one entry
has the time of the spec's last commit, or SOURCE_DATE_EPOCH where that is set.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from gen.console import fail, say
from gen.dkms import DkmsTree, dkms_tree
from gen.git import GitError, git
from gen.lab.problem import LabError
from gen.lab.process import run, tool
from gen.options import PathName, as_of_option, spec_option
from gen.output import LIST, alone, clear
from gen.render import render_debian
from gen.resources import template_directory

_WORK = ".pvgen-deb-"
_GNU = re.compile(r"(?P<stem>L?GPL)-(?P<number>\d\.\d)(?:\+|-only|-or-later)?")


@dataclass(frozen=True)
class License:
    """A licence as debian/copyright names it; `common` is its file in common-licenses, or empty."""

    name: str
    title: str = ""
    common: str = ""


def license_of(spdx: str) -> License:
    """What Debian calls an SPDX licence; of its common licences, the GNU ones are known."""
    match = _GNU.fullmatch(spdx)
    if match is None:
        return License(spdx)
    number = match["number"].removesuffix(".0")
    later = spdx.endswith(("+", "-or-later"))
    kind = (
        "GNU General Public License"
        if match["stem"] == "GPL"
        else "GNU Lesser General Public License"
    )
    title = f"{kind}, version {number}{' or (at your option) any later version' if later else ''}"
    return License(f"{match['stem']}-{number}{'+' * later}", title, f"{match['stem']}-{number}")


@click.command()
@spec_option
@as_of_option
@click.option(
    "--out",
    type=PathName(file_okay=False),
    default=Path("dist"),
    show_default=True,
    help="Directory in which the package is written.",
)
def deb(spec: Path | None, as_of: str | None, out: Path) -> None:
    """Build a Debian package of the DKMS tree, NAME-dkms, with debhelper.

    Its maintainer is DEBFULLNAME <DEBEMAIL>, or who git says that you are; its date is
    SOURCE_DATE_EPOCH, or that of the spec's last commit.
    """
    tree = dkms_tree(spec, as_of)
    package = tree.device.name.replace("_", "-") + "-dkms"
    try:
        debian = render_debian(
            template_directory(),
            tree.device,
            package=package,
            spec=tree.spec,
            version=tree.version,
            as_of=as_of,
            maintainer=_maintainer(),
            date=datetime.fromtimestamp(_epoch(Path(tree.device.source.name)), UTC),
            license_=license_of(tree.device.license),
        )
        place = _build(tree, debian, out)
    except LabError as error:
        fail(str(error), 3)
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror}", 3)
    say(f"{place}: {place.stat().st_size} bytes")
    click.echo(str(place))


def _maintainer() -> str:
    """Who answers for the package."""
    name, mail = os.environ.get("DEBFULLNAME"), os.environ.get("DEBEMAIL")
    try:
        name = name or git("config", "user.name").decode(errors="replace").strip()
        mail = mail or git("config", "user.email").decode(errors="replace").strip()
    except GitError:
        raise LabError(
            "a package needs a maintainer: set DEBFULLNAME and DEBEMAIL, or git's user.name and "
            "user.email"
        ) from None
    maintainer = f"{name} <{mail}>"
    if not maintainer.isprintable():
        raise LabError("the maintainer's name and address are one line of plain text")
    return maintainer


def _epoch(spec: Path) -> int:
    """The package's date, in seconds since 1970."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is None:
        try:
            log = git("log", "-1", "--format=%at", "--", spec.name, directory=spec.resolve().parent)
            told = log.decode(errors="replace").strip()
        except GitError:
            told = ""
    if not told:
        raise LabError(
            f"a package needs a date: set SOURCE_DATE_EPOCH to seconds since 1970, as no commit "
            f"of git has {spec}"
        )
    if not re.fullmatch("[0-9]{1,11}", told):
        raise LabError("SOURCE_DATE_EPOCH is no number of seconds since 1970, or too large")
    return int(told)


def _build(tree: DkmsTree, debian: dict[str, str], out: Path) -> Path:
    """Let debhelper build in a directory of its own; the package appears in `out` whole."""
    for name in ("make", "dh", "dh_dkms"):
        tool(name)  # says which package is missing
    out.mkdir(parents=True, exist_ok=True)
    with alone(out):
        clear(out, _WORK)
        return _build_below(tree, debian, out)


def _build_below(tree: DkmsTree, debian: dict[str, str], out: Path) -> Path:
    with tempfile.TemporaryDirectory(dir=out, prefix=_WORK) as directory:
        work = Path(directory) / "work"
        for below, files in tree.files.items():
            for name, text in files.items():
                if name != LIST:
                    _put(work / "source" / below / name, text)
        for name, text in debian.items():
            _put(work / "debian" / name, text)
        (work / "debian/rules").chmod(0o755)
        environment = {"DEB_RULES_REQUIRES_ROOT": "no", "TZ": "UTC"}
        # The changelog's date is the one that counts.
        run(["env", "-u", "SOURCE_DATE_EPOCH", "make", "-f", "debian/rules", "binary"],
            cwd=work, env=environment)  # fmt: skip
        built = next(Path(directory).glob("*.deb"))
        return built.rename(out / built.name)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
