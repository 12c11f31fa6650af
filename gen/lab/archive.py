# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages of the distribution, fetched and unpacked without installing and without root.

A private apt (own lists, own cache, an empty dpkg status) lives in the cache directory. Its sources
are made at run time from those that the machine's own apt is configured for, so that no address is
written down here; other suites and architectures of the same archives can be added. Signatures are
checked with the machine's own keys.

What a killed run leaves behind is never trusted: lists and packages are verified by apt, a package
is unpacked beside its place and renamed into it, and a lock keeps two runs apart. A download that
was cut short is taken up again where it ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gen.lab import apart
from gen.lab.problem import LabError
from gen.lab.process import run
from gen.output import clear, write_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The architecture of the machine that the lab runs on.
NATIVE = "amd64"
APT_HELPER = "/usr/lib/apt/apt-helper"
# How the suite of a release's security updates ends.
SECURITY = "-security"
# Seconds: lists younger than this are not fetched again; those older than the second number are,
# before a package counts as missing, since new kernels appear while asking is not free.
FRESH = 24 * 3600
RECENT = 3600
# How directories are called in which something is unpacked.
UNPACKING = ".unpacking-"


def cache_directory() -> Path:
    """The directory for everything that can be fetched or made again."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(base) / "pvgen"


@dataclass(frozen=True, order=True)
class Origin:
    """One suite of an archive, as an apt source line names it."""

    uri: str
    suite: str
    component: str
    keyring: str | None = None

    def line(self, architecture: str) -> str:
        """The one-line form; see sources.list(5)."""
        options = [f"arch={architecture}"]
        if self.keyring:
            options.append(f"signed-by={self.keyring}")
        return f"deb [{' '.join(options)}] {self.uri} {self.suite} {self.component}"


def machine_origins() -> tuple[Origin, ...]:
    """What this machine's apt is configured for.

    Raises:
        LabError: there is no apt, or it has no sources.
    """
    layout = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)"
    listing = run(["apt-get", "indextargets", "--format", layout, "Created-By: Packages"])
    origins = {Origin(*_fields(line)) for line in listing.splitlines() if line.strip()}
    if not origins:
        raise LabError("apt has no package sources on this machine")
    return tuple(sorted(origins))


def _fields(line: str) -> tuple[str, str, str, str | None]:
    """Split one line of the index target listing; a key that apt does not know stays a `$(KEY)`."""
    uri, suite, component, keyring = line.split(maxsplit=3)
    return uri, suite, component, None if keyring.startswith("$(") else keyring


def extend(origins: tuple[Origin, ...], suites: tuple[str, ...]) -> tuple[Origin, ...]:
    """The origins with each suite added to each archive that serves suites of its sort.

    Security updates have an archive of their own; all other suites are where whole releases are.
    A suite of security updates is left out on a machine that takes none.
    """
    return tuple(sorted({*origins, *_added(origins, suites)}))


def of_suites(suites: tuple[str, ...]) -> tuple[Origin, ...]:
    """These suites alone, of each archive of the machine's that serves suites of their sort.

    Raises:
        LabError: as for `machine_origins`.
    """
    return tuple(sorted(_added(machine_origins(), suites)))


def _added(origins: tuple[Origin, ...], suites: tuple[str, ...]) -> set[Origin]:
    """Each suite in each archive that serves suites of its sort."""
    return {
        Origin(origin.uri, suite, origin.component, origin.keyring)
        for suite in suites
        for origin in origins
        if (
            origin.suite.endswith(SECURITY) if suite.endswith(SECURITY) else "-" not in origin.suite
        )
    }


def backports(origins: tuple[Origin, ...]) -> tuple[str, ...]:
    """The suites with newer packages for the releases that the machine runs."""
    return tuple(
        f"{suite}-backports" for suite in sorted({o.suite for o in origins}) if "-" not in suite
    )


@dataclass(frozen=True)
class Archive:
    """A view of the distribution's archive: extra `suites`, one `architecture`, all in `cache`.

    With `alone`, the suites that the machine itself uses are left out.
    """

    suites: tuple[str, ...] = ()
    architecture: str = NATIVE
    cache: Path = field(default_factory=cache_directory)
    say: Callable[[str], None] = lambda _: None
    alone: bool = False

    def unpack(self, package: str) -> Path:
        """The directory that holds the unpacked files of the newest version of a package.

        Raises:
            LabError: no suite has it, or fetching or unpacking failed.
        """
        with self._locked():
            version = self._version(package)
            if version is None:
                raise LabError(f"no package {package} for {self.architecture} in {self._names()}")
            stem = f"{package}_{version.replace(':', '%3a')}_{self.architecture}"
            place = self.cache / "unpacked" / stem
            # A run may have been killed after the package had got to its place.
            clear(place.parent, UNPACKING)
            if not place.is_dir():
                self.say(f"fetching {package} {version}")
                self._extract(self._download(package, version, stem), place)
            self._partial(stem).unlink(missing_ok=True)
            return place

    def kept(self, package: str) -> Path | None:
        """What an earlier run unpacked, the newest of it; asks nobody."""
        places = (self.cache / "unpacked").glob(f"{package}_*_{self.architecture}")
        return max(places, key=lambda place: place.stat().st_mtime, default=None)

    def has(self, package: str) -> bool:
        """Whether a suite has the package."""
        with self._locked():
            return self._version(package) is not None

    def names(self, pattern: str) -> list[str]:
        """The names that match a regular expression, sorted: what versions there are."""
        with self._locked():
            self._update()
            listing = run(["apt-cache", "-c", self._configure(), "search", "--names-only", pattern])
        return sorted(line.split(" - ")[0] for line in listing.splitlines())

    def field(self, package: str, name: str) -> str:
        """A field of the description of a package's newest version; empty if there is none."""
        with self._locked():
            self._update()
            words = ["--no-all-versions", "show", package]
            listing = run(["apt-cache", "-c", self._configure(), *words])
        lines = (line.partition(": ") for line in listing.splitlines())
        return next((value for key, _, value in lines if key == name), "")

    def _names(self) -> str:
        return ", ".join(sorted({origin.suite for origin in self._origins()}))

    def _origins(self) -> tuple[Origin, ...]:
        return of_suites(self.suites) if self.alone else extend(machine_origins(), self.suites)

    def _sources(self) -> str:
        return "".join(origin.line(self.architecture) + "\n" for origin in self._origins())

    def _home(self) -> Path:
        """The private apt's directory: another set of sources gets another one."""
        key = hashlib.sha256(self._sources().encode()).hexdigest()[:16]
        return self.cache / "apt" / f"{self.architecture}-{key}"

    def _configure(self) -> Path:
        """Write the private configuration; see apt.conf(5).

        It is read after the machine's own one, whose proxies and keys thus hold here too.
        """
        home = self._home()
        for directory in ("state/lists/partial", "cache/archives/partial", "preferences.d"):
            (home / directory).mkdir(parents=True, exist_ok=True)
        (home / "status").touch()
        write_file(home / "sources.list", self._sources())
        settings = {
            "APT::Architecture": self.architecture,
            "APT::Sandbox::User": "",
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Dir::State": home / "state",
            "Dir::State::status": home / "status",
            "Dir::Cache": home / "cache",
            "Dir::Etc::sourcelist": home / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferences": "-",
            "Dir::Etc::preferencesparts": home / "preferences.d",
        }
        lines = [f'{key} "{value}";\n' for key, value in settings.items()]
        lines.append(
            f'#clear APT::Architectures;\nAPT::Architectures {{ "{self.architecture}"; }};\n'
        )
        write_file(home / "apt.conf", "".join(lines))
        return home / "apt.conf"

    def _update(self, *, force: bool = False) -> bool:
        """Fetch the package lists unless they are fresh; whether they were fetched."""
        stamp = self._home() / "updated"
        if not force and stamp.exists() and time.time() - stamp.stat().st_mtime < FRESH:
            return False
        self.say(f"fetching the package lists of {self._names()}")
        run(["apt-get", "-c", self._configure(), "-q", "update"])
        stamp.touch()
        return True

    def _version(self, package: str) -> str | None:
        """The newest version; old lists are fetched again before a package counts as missing."""
        fetched = self._update()
        version = self._newest(package)
        if version is None and not fetched and self._stale():
            self._update(force=True)
            version = self._newest(package)
        return version

    def _stale(self) -> bool:
        return time.time() - (self._home() / "updated").stat().st_mtime > RECENT

    def _newest(self, package: str) -> str | None:
        listing = run(["apt-cache", "-c", self._configure(), "madison", package])
        versions = [line.split("|")[1].strip() for line in listing.splitlines() if "|" in line]
        return versions[0] if versions else None

    def _download(self, package: str, version: str, stem: str) -> Path:
        """Fetch a package; apt verifies it, and goes on with a part that an earlier run left.

        `apt-get download` would begin anew, so it only tells where the package is.
        """
        configuration = self._configure()
        words = ["-q", "--print-uris", "download", f"{package}={version}"]
        listing = run(["apt-get", "-c", configuration, *words])
        address, _, _, checksum = listing.split()
        partial = self._partial(stem)
        partial.parent.mkdir(parents=True, exist_ok=True)
        # It must not outlive this run and write into what the next one takes up.
        run(
            [APT_HELPER, "-c", configuration, "download-file", address.strip("'"), partial,
             checksum],
            prefix=apart.bound(),
        )  # fmt: skip
        return partial

    def _partial(self, stem: str) -> Path:
        """Where a package is fetched to."""
        return self.cache / "partial" / f"{stem}.deb"

    def _extract(self, deb: Path, place: Path) -> None:
        """Unpack so that `place` appears whole or not at all; the package is not needed then."""
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=UNPACKING) as directory:
            fresh = Path(directory) / "files"
            run(["dpkg", "-x", deb, fresh])
            fresh.rename(place)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other runs out: apt locks its own files only, and fails instead of waiting."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
