# SPDX-License-Identifier: GPL-2.0-or-later
"""A `Plan` to the texts of files, through the templates."""

from __future__ import annotations

from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING

import jinja2

from gen.frontend import Bus
from gen.output import LIST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from gen.deb import License
    from gen.dkms import Rendering
    from gen.model import Device
    from gen.plan import Plan

_FRONTEND_TEMPLATES = {Bus.PCI: "pci.c.j2", Bus.PLATFORM: "platform.c.j2"}


def render(plan: Plan, templates: Path) -> dict[str, str]:
    """The files of a module directory: their texts by path, relative to the directory.

    Args:
        plan: what to lay out.
        templates: the directory of the templates.
    """
    environment = _environment(templates)
    place = plan.place

    def fill(template: str, path: str, **extra: object) -> str:
        kept = place.copyright.get(path, place.otherwise) if place else ()
        values: Mapping[str, object] = {
            "plan": plan, "core": plan.core, "copyright": kept, **extra
        }  # fmt: skip
        return environment.get_template(template).render(values)

    core = f"{plan.core.name}.c"
    files = {
        core: fill("core.c.j2", core),
        plan.core.header: fill("core.h.j2", plan.core.header),
        plan.uapi.path: fill("uapi.h.j2", plan.uapi.path),
        "Kconfig": fill("Kconfig.j2", "Kconfig"),
        "Makefile": fill("Makefile.j2", "Makefile"),
    }
    for frontend in plan.frontends:
        template = _FRONTEND_TEMPLATES[frontend.bus]
        files[frontend.file] = fill(template, frontend.file, front=frontend)
    if plan.abi:
        files[plan.abi.path] = fill("sysfs-abi.j2", plan.abi.path)
    if plan.binding:
        files[plan.binding.path] = fill("dt-binding.yaml.j2", plan.binding.path)
    files[LIST] = fill("files.j2", LIST, names=sorted(files))
    return dict(sorted(files.items()))


def render_dkms(
    templates: Path,
    device: Device,
    *,
    spec: str,
    version: str,
    renderings: Sequence[Rendering],
    as_of: str | None,
) -> dict[str, str]:
    """What stands at the top of a DKMS tree, above its renderings, oldest first."""
    values = {
        "device": device,
        "spec": spec,
        "contract": f" --as-of {as_of}" if as_of else "",
        "version": version,
        "renderings": renderings,
        "modules": [device.name, *(frontend.name for frontend in device.frontends)],
    }
    conf = _environment(templates).get_template("dkms.conf.j2").render(values)
    banner = "\n".join(line for line in conf.splitlines() if line.startswith("# "))
    return {"dkms.conf": conf, LIST: f"{banner}\n\ndkms.conf\n"}


def render_debian(
    templates: Path,
    device: Device,
    *,
    package: str,
    spec: str,
    version: str,
    as_of: str | None,
    maintainer: str,
    date: datetime,
    license_: License,
) -> dict[str, str]:
    """The directory debian/ of a package with a DKMS tree, by name."""
    values = {
        "device": device,
        "package": package,
        "spec": spec,
        "contract": f" --as-of {as_of}" if as_of else "",
        "version": version,
        "maintainer": maintainer,
        "date": format_datetime(date),
        "year": date.year,
        "license": license_,
        "homepage": next((reference.url for reference in device.references), None),
        "modules": [device.name, *(frontend.name for frontend in device.frontends)],
    }
    environment = _environment(templates)
    names = ("changelog", "control", "copyright", "rules")
    return {name: environment.get_template(f"debian/{name}.j2").render(values) for name in names}


@cache
def _environment(templates: Path) -> jinja2.Environment:
    """One for all renderings: it keeps what it compiled, unless the template changes."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (C is no HTML; gen.texts keeps text from being more)
    )
    environment.filters["lines"] = str.splitlines
    return environment
