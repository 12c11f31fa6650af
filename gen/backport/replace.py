# SPDX-License-Identifier: GPL-2.0-or-later
"""The patches that swap a tree's driver for the rendered one, whichever layout the tree has."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from gen.backport.maintainers import answer
from gen.backport.records import MAINTAINERS, BackportError, Patch
from gen.frontend import PlatformFrontend
from gen.model import DocumentKind
from gen.model_restrict import carry
from gen.output import LIST
from gen.plan import Place
from gen.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gen.backport.tree import KernelTree
    from gen.generate import Generation
    from gen.model import Device

_BINDINGS = "Documentation/devicetree/bindings/"
_WIDTH = 72  # of a message's lines
_SYMBOL = re.compile(r"^[ \t]*(?:menu)?config[ \t]+(\w+)", re.MULTILINE)
_HEAD = re.compile(r"\s*(//|/\*|\*|#(?!\s*(?:include|ifndef|define)\b)|$)")
_COPYRIGHT = re.compile(r"(?:SPDX-FileCopyrightText:|Copyright\b|\(C\)|©)", re.IGNORECASE)
_AGAIN = "The files say what they were made from and how to make them again."


def find_place(tree: KernelTree) -> Place:
    """The tree as a place for rendered files.

    What they replace keeps its copyright lines. Where one source becomes several, all have them.
    """
    found: dict[str, tuple[str, ...]] = {"Kconfig": (), "Makefile": ()}
    for path, text in tree.files.items():
        if path.startswith(f"{tree.home}/"):
            found[path.removeprefix(f"{tree.home}/")] = _copyright(text)
        elif path.startswith("include/"):
            found[path.removeprefix("include/")] = _copyright(text)
    lines = _copyright(tree.files[f"{tree.home}.c"]) if tree.single else ()
    return Place(tree.release, found, lines)


def _copyright(text: str) -> tuple[str, ...]:
    """The lines of a file's first comments that name who has the copyright."""
    head = itertools.takewhile(_HEAD.match, text.splitlines())
    lines = (re.sub(r"\*/.*", "", line).strip(" \t/*#") for line in head)
    return tuple(line for line in lines if _COPYRIGHT.match(line) and line.isprintable())


def plan_replace(tree: KernelTree, generation: Generation, effects: str) -> list[Patch]:
    """The device tree binding as the device tree's maintainers take it, alone; then the driver.

    The driver's patch has its files, the header for user space, the other documents, and the
    parent's hooks. What the tree has already makes no patch.

    Args:
        tree: the tree.
        generation: the driver as it is to stand there.
        effects: what changes for users, as lines of a message.

    Raises:
        BackportError: the tree has this rendering already, or the parent's Kconfig or Makefile
            does not name the driver in a way that is understood.
    """
    device = generation.device
    files = {_in_tree(path, tree): text for path, text in generation.files.items() if path != LIST}
    bindings: dict[str, str | None] = dict.fromkeys(_bindings(tree, device))
    bindings |= {path: text for path, text in files.items() if path.startswith(_BINDINGS)}
    old = [path for path in tree.files if path.startswith(f"{tree.home}/")]
    if tree.single:
        old = [f"{tree.home}.c"]
    driver: dict[str, str | None] = dict.fromkeys(old)
    driver |= {path: text for path, text in files.items() if path not in bindings}
    if tree.single:
        driver |= _hooks(tree, device.kconfig.symbol)
    contract = carry(device, generation.kernel)[0]
    patches, maintainers = [], tree.text(MAINTAINERS)
    for part, words in ((bindings, _binding_words), (driver, _driver_words)):
        changed = {path: text for path, text in part.items() if text != tree.text(path)}
        if not changed:
            continue
        subject, body = words(tree, generation, changed)
        if part is driver:
            body += f"\n{effects}"
        added = [path for path in changed if tree.text(path) is None]
        gone = [path for path, text in changed.items() if text is None]
        told = answer(maintainers, tree.home, added, gone)
        if told.text is not None:
            changed[MAINTAINERS] = maintainers = told.text
        message = "\n".join([body, "", *wrap(_AGAIN, _WIDTH)])
        patches.append(Patch(subject, message, changed, contract, maintained=told.told))
    if not patches:
        raise BackportError(f"{tree.root}: already carries this driver", 2)
    return patches


def _binding_words(
    tree: KernelTree, generation: Generation, changed: Mapping[str, str | None]
) -> tuple[str, str]:
    """Subject and text of the binding's mail."""
    path = next(iter(sorted(one for one, text in changed.items() if text is not None)), "")
    device, old = generation.device, [one for one, text in changed.items() if text is None]
    if old and path and tree.text(path) is None:
        what = "convert the binding to DT schema"
        why = (
            f"The binding of the {device.title} is prose, which no tool can hold a device tree "
            "against. Describe the device in DT schema instead."
        )
    elif path and tree.text(path) is None:
        what = "add the binding"
        why = f"Describe how the {device.title} stands in a device tree, which has no binding yet."
    else:
        what = "make the binding from the device's spec"
        why = (
            f"The driver of the {device.title} is made from a spec. Make the binding from it, too, "
            "so that both say the same."
        )
    area = (path or old[0]).removeprefix(_BINDINGS).partition("/")[0]
    return f"dt-bindings: {area}: {device.name}: {what}", "\n".join(wrap(why, _WIDTH))


def _driver_words(
    tree: KernelTree, generation: Generation, changed: Mapping[str, str | None]
) -> tuple[str, str]:
    """Subject and text of the driver's mail, without what changes for users."""
    device = generation.device
    layout = " The driver was one file; it gets a directory of its own." if tree.single else ""
    why = (
        f"Replace the driver of the {device.title} with the one that pvgen renders for Linux "
        f"{generation.kernel.series}.{layout}"
    )
    lost = _lost(tree, changed)
    if lost:
        why += f" These go with the old one: {', '.join(lost)}."
    subject = f"misc/{device.name}: replace the driver with the one made from its spec"
    return subject, "\n".join(wrap(why, _WIDTH))


def _lost(tree: KernelTree, changed: Mapping[str, str | None]) -> list[str]:
    """Files and Kconfig symbols of the driver's directory that have no successor.

    A tree may have more there than the driver: whoever reads the mail has to see that it goes.
    """
    if tree.single:
        return []
    files = [path.removeprefix(f"{tree.home}/") for path, text in changed.items() if text is None]
    kconfig = f"{tree.home}/Kconfig"
    kept = set(_SYMBOL.findall(changed.get(kconfig) or tree.files.get(kconfig, "")))
    symbols = [one for one in _SYMBOL.findall(tree.files.get(kconfig, "")) if one not in kept]
    return [*sorted(files), *(f"CONFIG_{one}" for one in dict.fromkeys(symbols))]


def _in_tree(path: str, tree: KernelTree) -> str:
    """Where a rendered file goes."""
    if path.startswith("uapi/"):
        return f"include/{path}"
    return path if path.startswith("Documentation/") else f"{tree.home}/{path}"


def _bindings(tree: KernelTree, device: Device) -> list[str]:
    """Other bindings of the same compatibles beside the rendered one: there must be one only."""
    found = []
    texts = [text for f in device.frontends if isinstance(f, PlatformFrontend) for text in f.of]
    for document in device.documents:
        beside = (tree.root / document.path).parent
        if document.kind is DocumentKind.DT_BINDING and beside.is_dir():
            for path in sorted(item for item in beside.iterdir() if item.is_file()):
                name = path.relative_to(tree.root).as_posix()
                said = tree.text(name) or ""
                if any(text in said for text in texts):
                    found.append(name)
    return found


def _hooks(tree: KernelTree, symbol: str) -> dict[str, str]:
    """The parent's Kconfig and Makefile with a directory in place of the single file."""
    name = tree.home.rpartition("/")[2]
    kconfig, makefile = f"{tree.parent}/Kconfig", f"{tree.parent}/Makefile"
    rule = rf"^(obj-\$\(CONFIG_{re.escape(symbol)}\)[ \t]*\+=[ \t]*){re.escape(name)}\.o$"
    # An entry ends where a line starts that is neither indented nor empty.
    entry = rf"^config {re.escape(symbol)}\n(?:[ \t]+.*\n|\n)*"
    return {
        makefile: _once(tree, makefile, rule, rf"\g<1>{name}/"),
        kconfig: _once(tree, kconfig, entry, f'source "{tree.home}/Kconfig"\n\n'),
    }


def _once(tree: KernelTree, path: str, pattern: str, new: str) -> str:
    text, count = re.subn(pattern, new, tree.files[path], flags=re.MULTILINE)
    if count != 1:
        raise BackportError(f"{tree.root / path}: names the driver {count} times, not once")
    return text
