# SPDX-License-Identifier: GPL-2.0-or-later
"""Legal C as the kernel has it is read, understood, and not complained about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from checks.dialect import standard
from checks.preprocess import Token
from checks.rule import Verdict
from checks.run import check_paths
from gen.generate import read_device
from gen.source import Source
from tests.checks.trees import OUT, change, copy, kernel

if TYPE_CHECKING:
    from pathlib import Path

SPEC = OUT.parent / "spec/pvpanic.yaml"
ANCHOR = "/* Called in any context, including NMI. */\n"
FAILING = "	return devm_add_action_or_reset(dev, pvpanic_unregister, pi);\n"
HANDWRITTEN = """static int __init pvpanic_pci_init(void)
{
	return pci_register_driver(&pvpanic_pci_driver);
}
module_init(pvpanic_pci_init);

static void __exit pvpanic_pci_exit(void)
{
	pci_unregister_driver(&pvpanic_pci_driver);
}
module_exit(pvpanic_pci_exit);
"""
FIRST = """static bool __maybe_unused is_first(struct device *dev)
{
	struct pvpanic_instance *pi;
	bool found;

	mutex_lock(&pvpanic_lock);
	pi = list_first_entry_or_null(&pvpanic_instances, struct pvpanic_instance, node);
	found = pi && pi->dev == dev;
	mutex_unlock(&pvpanic_lock);

	return found;
}

"""
TOLD = """	ret = devm_add_action_or_reset(dev, pvpanic_unregister, pi);
	if (ret)
		return dev_err_probe(dev, ret, "no action\\n");

	return 0;
"""
LEGAL = {
    "elvis": ("pvpanic.c", "					      &pvpanic_panic_nb);\n}\nmodule_init",
              "					      &pvpanic_panic_nb) ?: 0;\n}\nmodule_init"),
    "attribute": ("pvpanic.c", "static void pvpanic_send(unsigned int event)\n",
                  "static void __attribute__((noinline)) pvpanic_send(unsigned int event)\n"),
    "first entry": ("pvpanic.c", ANCHOR, FIRST + ANCHOR),
    "parameter": ("pvpanic.c", ANCHOR, "static bool verbose;\nmodule_param(verbose, bool, 0444);\n"
                  'MODULE_PARM_DESC(verbose, "say more");\n\n' + ANCHOR),
    "declared by a macro": ("pvpanic.c", ANCHOR, (
        "static DEFINE_THING(things, struct device);\nMAKE_ATTRIBUTE(thing);\n\n" + ANCHOR)),
    "strange types": ("pvpanic.c", ANCHOR, (
        "static thing_t thing = THING_INIT(1);\n\n"
        "static thing_t *other(thing_t given)\n{\n\treturn given.next ?: &thing;\n}\n\n"
        "static thing_t *pvpanic_thing(void)\n{\n\treturn other(thing);\n}\n\n" + ANCHOR)),
    "put together": ("pvpanic.c", 'return sysfs_emit(buf, "%x\\n", pi->capability);', (
        'int len = sysfs_emit_at(buf, 0, "%x", pi->capability);\n\n'
        '\tlen += sysfs_emit_at(buf, len, "\\n");\n\treturn len;')),
    "late": ("pvpanic.c", "module_init(pvpanic_init);", "late_initcall(pvpanic_init);"),
    "told error": ("pvpanic.c", FAILING, TOLD),
    "handwritten registration": ("pvpanic-pci.c", "module_pci_driver(pvpanic_pci_driver);\n",
                                 HANDWRITTEN),
}  # fmt: skip
LOCALS = "	struct pvpanic_instance *pi;\n\n	pi = devm"
BEFORE = {"told error": (LOCALS, LOCALS.replace("\n\n", "\n	int ret;\n\n"))}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_code_is_judged_and_has_no_finding(tmp_path: Path, name: str) -> None:
    tree = copy(tmp_path, OUT)
    file, good, other = LEGAL[name]
    change(tree, file, good, other)
    if name in BEFORE:
        change(tree, file, *BEFORE[name])
    report = check_paths([tree], read_device(SPEC), kernel("6.1"))
    assert [str(item) for item in report.findings] == []
    unknown = [item.rule.id for item in report.judgements if item.verdict is Verdict.UNKNOWN]
    # Whether the target has THING_INIT() nobody can say.
    assert unknown == (["PORT201"] if name == "strange types" else [])


def test_an_unknown_call_while_loading_is_told(tmp_path: Path) -> None:
    """Once it ended in a traceback."""
    tree = copy(tmp_path, OUT)
    change(tree, "pvpanic.c", "	return atomic_notifier_chain_register(",
           "	nobody_knows();\n	return atomic_notifier_chain_register(")  # fmt: skip
    report = check_paths([tree], read_device(SPEC), kernel("6.1"))
    why = [item.why for item in report.judgements if item.rule.id == "RUN301"]
    assert "nobody_knows() is taken to do nothing to the driver" in str(why)
    assert "it is neither in the given files nor in the kernel's facts" in str(why)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ a ?: b ; }", "{ a ? __model_same : b ; }"),
        ("int x __attribute__ ( ( unused ) ) ;", "int x ;"),
        ("{ f ( & l , struct a , m ) ; }", "{ f ( & l , sizeof ( struct a ) , m ) ; }"),
        ("{ f ( long , u8 * ) ; }", "{ f ( sizeof ( long ) , sizeof ( u8 * ) ) ; }"),
        ("int f ( struct a * ) ;", "int f ( struct a * ) ;"),
        ("{ x = ( struct a * ) y ; }", "{ x = ( struct a * ) y ; }"),
        ("{ x = sizeof ( struct a ) ; }", "{ x = sizeof ( struct a ) ; }"),
        ("{ x = offsetof ( struct a , b ) ; }", "{ x = offsetof ( struct a , b ) ; }"),
        ("struct o { int ( * f ) ( struct a * , int ) ; } ;",
         "struct o { int ( * f ) ( struct a * , int ) ; } ;"),
        ("DEFINE_IT ( a , struct b ) ; static MAKE ( c ) ; int d ;", "int d ;"),
        ("int d ( void ) { } DEFINE_IT ( c ) ; int e ;", "int d ( void ) { } int e ;"),
        # It may call a function that it is given.
        ("int d ( void ) { } LATE ( d ) ;", "int d ( void ) { } LATE ( d ) ;"),
        ("int f ( int ) ;", "int f ( int ) ;"),
        ("__attribute__", ""),
        ("{ ( struct", "{ ( struct"),
    ],
)  # fmt: skip
def test_tokens(text: str, expected: str) -> None:
    text = text.replace("?:", "? :")
    at = Source("a.c", text).span(1, 1, 1)
    tokens = standard([Token(word, at) for word in text.split()], ["u8"])
    assert " ".join(token.text for token in tokens) == expected


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("void f(void) { struct x *p __free(kfree) = g(); h(); }",
         "void f ( void ) { struct x * p = g ( ) ; __model_guard_free_kfree ( p ) ; h ( ) ; }"),
        ("DEFINE_FREE(drop, struct x *, if (_T) drop(_T)) int a;", "int a ;"),
        ("void f(void) { x_for_each_y(p, q) g(p); }",
         "void f ( void ) { for ( ; x_for_each_y ( p , q ) ; ) g ( p ) ; }"),
        ("void f(void) { x_for_each_y(p, q); }", "void f ( void ) { x_for_each_y ( p , q ) ; }"),
    ],
)  # fmt: skip
def test_scopes_and_loops_of_macros_become_standard(written: str, read: str) -> None:
    source = Source("x.c", written)
    words = re.findall(r"\w+|[^\w\s]", written)
    tokens = [Token(word, source.span(1, 1, 1)) for word in words]
    assert " ".join(token.text for token in standard(tokens, ())) == read
