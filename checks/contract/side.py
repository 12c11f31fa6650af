# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver's directory as one side of `pvgen diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.contract.find import NoDriverError, find_driver
from checks.contract.parts import parts
from checks.contract.read import NothingReadError, read_contract
from gen.banner import read_banner
from gen.diff.records import TreeSide
from gen.diff.sides import SideError
from gen.generate import find_target
from gen.specs import GenerationError

if TYPE_CHECKING:
    from pathlib import Path


def read_tree(label: str, tree: Path, series: str | None) -> TreeSide:
    """The contract of the driver in a directory.

    Without a series, one that pvgen rendered is read with the interfaces that it was rendered for.

    Raises:
        SideError: no such series (status 2), or there is no driver or nothing to be read (3).
    """
    banner = None if series else read_banner(tree)
    if banner:
        series = ".".join(banner.kernel.split(".")[:2])
    try:
        kernel = find_target(series, None).kernel
        found = find_driver([tree])
        contract = read_contract(found, kernel)
    except GenerationError as error:
        raise SideError(str(error), 2) from None
    except NoDriverError as error:
        raise SideError(str(error), 3) from None
    except NothingReadError as error:
        raise SideError(str(error), 3, error.diagnostics) from None
    return TreeSide(label, contract.items, contract.unknown, parts(found))
