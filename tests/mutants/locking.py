# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes about locks and about what a context allows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.mutants import roles
from tests.mutants.operators import Family, add, callee, dropped, operator
from tests.mutants.text import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.mutants.text import Driver

LOCKING = Family.LOCKING
NO_RCU = dict.fromkeys(("mainline", "mainline-6.1"), "does not use RCU")
NO_SPIN = {"ours": "its lock is a mutex, under which sleeping is allowed"}
NO_MUTEX = dict.fromkeys(("mainline", "mainline-6.1"), "its lock is a spinlock")
PATH = "the path from the notifier to the lock has several functions"
UNGUARDED = "a lock that one place lacks is told where it is, or where it is missing"

add("drop-unlock", LOCKING, "KERN106 RUN309 RUN305", "The next taker waits for ever.",
    dropped(roles.UNLOCK))  # fmt: skip
add("drop-lock", LOCKING, "KERN107 KERN106 KERN110 RUN309",
    "What is not held is released, and the section is not exclusive.",
    dropped(f"{roles.LOCK}"))  # fmt: skip
add("lock-twice", LOCKING, "KERN107 RUN305", "The second taking waits for the first for ever.",
    lambda driver: [
        call.statement.after(str(call.statement), call.function)
        for call in driver.calls("(?:mutex|spin)_lock")
    ])  # fmt: skip


@operator("lock-initialised-again", LOCKING, "KERN131 RUN309")
def _again(driver: Driver) -> Iterable[Change]:
    """Who holds the lock while another device is bound does not keep anybody out any more."""
    lock = driver.calls("(?:mutex|spin)_lock")[0]
    kind = "mutex_init" if driver.calls("mutex_lock") else "spin_lock_init"
    for call in driver.calls("dev_set_drvdata"):
        yield call.statement.before(f"{kind}({lock.arguments[0]});")


@operator("drop-section", LOCKING, "KERN110 KERN142 KERN143 KERN144 RUN309", elsewhere=UNGUARDED)
def _section(driver: Driver) -> Iterable[Change]:
    """Nothing excludes two writers any more."""
    for first, last in roles.sections(driver):
        start, _ = first.file.line_range(first.start, first.end)
        _, end = last.file.line_range(last.start, last.end)
        inner = first.file.text[first.end + 1 : last.file.line_range(last.start, last.end)[0]]
        yield Change(first.file.path, start, end, inner, first.function)


@operator("early-return-under-lock", LOCKING, "KERN106 RUN309")
def _early(driver: Driver) -> Iterable[Change]:
    """One way out of the function keeps the lock."""
    for first, _ in roles.sections(driver):
        around = driver.functions()[first.function]
        word = str(around.field("type"))
        value = "" if word == "void" else " -ENODEV"
        name = roles.list_name(driver)
        yield first.after(f"if (list_empty({name}))\n\t\treturn{value};", first.function)


@operator("check-moved-under-lock", LOCKING, "KERN106 RUN309",
          absent={**NO_MUTEX, "mainline": "its store takes no lock"})  # fmt: skip
def _check_moved(driver: Driver) -> Iterable[Change]:
    """The refusal of a wrong mask keeps the lock."""
    function = roles.store(driver)
    lock = driver.calls("mutex_lock", function)[0].statement
    check = next(
        place
        for place in driver.nodes("if_statement")
        if place.function == function and "capability" in str(place.field("condition"))
    )
    yield Change(lock.file.path, check.start, lock.end, f"{lock}\n\n\t{check}\n")


add("unlock-of-other-kind", LOCKING, "KERN108 KERN106 KERN107 RUN309",
    "Interrupts or bottom halves are switched on that were not switched off here.",
    lambda driver: [
        *callee("(rcu_read_unlock)", r"\1_bh")(driver),
        *callee("(spin_unlock)", r"\1_irq")(driver),
    ])  # fmt: skip


@operator(
    "blocking-lock-on-panic", LOCKING, "KERN105 KERN109 KERN101 KERN102 RUN305", elsewhere=PATH
)
def _blocking(driver: Driver) -> Iterable[Change]:
    """If the panic interrupted the holder of the lock, the guest hangs and nobody hears of it."""
    name = roles.lock_name(driver)
    for call in driver.calls("spin_trylock"):
        gate = call.up("if_statement")
        if gate is not None:
            yield gate.replace(f"spin_lock({call.arguments[0]});", "spin")
    for first, last in roles.sections(driver):
        if str(first).startswith("rcu_read_lock") and first.function == roles.sender(driver):
            inner = first.file.text[first.end : last.start]
            text = f"mutex_lock({name});{inner}mutex_unlock({name});"
            yield Change(first.file.path, first.start, last.end, text, "mutex")


@operator("lock-in-callback", LOCKING, "KERN105 KERN109 KERN101 KERN102 RUN305", elsewhere=PATH)
def _lock_in_callback(driver: Driver) -> Iterable[Change]:
    """As above, in the callback itself."""
    name = roles.lock_name(driver)
    kind = "mutex" if driver.calls("mutex_lock") else "spin"
    for callback in filter(None, (roles.panic_callback(driver), roles.power_off_callback(driver))):
        call = driver.calls(roles.sender(driver), callback)[0].statement
        text = f"{kind}_lock({name});\n\t{call}\n\t{kind}_unlock({name});"
        yield call.replace(text, callback)


@operator("trylock-ignored", LOCKING, "KERN106 KERN107 KERN118 KERN105 RUN309",
          absent={"ours": "sends without a lock"})  # fmt: skip
def _trylock_ignored(driver: Driver) -> Iterable[Change]:
    """The list is walked, and somebody else's lock released, without holding it."""
    for call in driver.calls("spin_trylock"):
        gate = call.up("if_statement")
        if gate is not None:
            yield gate.replace(f"{call};")


@operator("trylock-inverted", LOCKING, "KERN106 KERN107 RUN309",
          absent={"ours": "sends without a lock"})  # fmt: skip
def _trylock_inverted(driver: Driver) -> Iterable[Change]:
    """Success returns with the lock held, failure walks without it."""
    for call in driver.calls("spin_trylock"):
        around = call.up("unary_expression")
        if around is not None:
            yield around.replace(str(call))


@operator("sleep-on-panic", LOCKING, "KERN101 KERN102 RUN305", elsewhere=PATH)
def _sleep_on_panic(driver: Driver) -> Iterable[Change]:
    """A panic cannot schedule: the guest hangs instead of telling its host."""
    for callback in filter(None, (roles.panic_callback(driver), roles.power_off_callback(driver))):
        place = driver.calls(roles.sender(driver), callback)[0].statement
        for text, note in (("msleep(10);", "msleep"), ("synchronize_rcu();", "grace-period")):
            yield place.before(text, f"{callback}-{note}")


@operator("allocation-on-panic", LOCKING, "KERN101 KERN103 RUN305", elsewhere=PATH)
def _allocation(driver: Driver) -> Iterable[Change]:
    """GFP_KERNEL waits for memory, in a kernel that has stopped."""
    place = driver.calls(roles.sender(driver), roles.panic_callback(driver))[0].statement
    text = 'kfree(kasprintf(GFP_KERNEL, "%s", "panic"));'
    yield place.before(text)


@operator("sleep-in-helper-on-panic", LOCKING, "KERN102 KERN101 RUN305", elsewhere=PATH)
def _helper(driver: Driver) -> Iterable[Change]:
    """The function that the callback calls sleeps."""
    place = driver.functions()[roles.sender(driver)]
    first = roles.body_start(driver, roles.sender(driver))
    yield Change(place.file.path, first.start, first.start, "might_sleep();\n\tmsleep(1);\n\t")


@operator("sleep-under-lock", LOCKING, "KERN101 KERN102 RUN305")
def _sleep(driver: Driver) -> Iterable[Change]:
    """Others spin, or a grace period hangs, while the holder sleeps."""
    for first, last in roles.sections(driver):
        if not str(first).startswith("mutex_lock"):
            yield last.before("msleep(1);", first.function)


@operator("gfp-kernel-under-spinlock", LOCKING, "KERN103 KERN101 RUN305")
def _gfp(driver: Driver) -> Iterable[Change]:
    """The allocation may sleep where that is not allowed."""
    for first, last in roles.sections(driver):
        if not str(first).startswith("mutex_lock"):
            yield last.before("kfree(kmalloc(8, GFP_KERNEL));", first.function)


@operator("sleeping-helper-under-lock", LOCKING, "KERN102 KERN101 RUN305",
          absent={**NO_SPIN, "mainline-6.1": "no helper of it sleeps"})  # fmt: skip
def _helper_under_lock(driver: Driver) -> Iterable[Change]:
    """Registering the power-off handler allocates memory, and unregistering waits."""
    name = roles.updater(driver)
    if name is None:
        return
    for first, last in roles.sections(driver):
        if first.function == roles.attach(driver):
            yield last.before(f"{name}(dev, pi);", first.function)
        if first.function == roles.detach(driver):
            yield last.before("unregister_sys_off_handler(pi->sys_off);", first.function)


@operator("sleep-in-rcu-section", LOCKING, "KERN101 RUN305", absent=NO_RCU)
def _rcu_sleep(driver: Driver) -> Iterable[Change]:
    """Waiting for readers, as one of them, never ends."""
    for first, last in roles.sections(driver):
        if str(first).startswith("rcu"):
            yield last.before("synchronize_rcu();", first.function)


add("gfp-atomic-in-process-context", LOCKING, "KERN104",
    "Emergency memory is used, and fails, where waiting is allowed.",
    lambda driver: [
        place.replace("GFP_ATOMIC", place.function)
        for place in driver.nodes("identifier")
        if str(place) == "GFP_KERNEL"
    ])  # fmt: skip
add("list-without-rcu", LOCKING, "KERN144",
    "A panic in the middle of the change sees a list that is torn.",
    callee(r"(list_add|list_del)(?:_tail)?_rcu", r"\1"), absent=NO_RCU)  # fmt: skip
add("walk-without-rcu", LOCKING, "KERN143 KERN144", "The compiler may read a pointer twice.",
    lambda driver: [
        Change(file.path, match.start(), match.end(), "list_for_each_entry")
        for file in driver.units
        for match in re.finditer(r"\blist_for_each_entry_rcu\b", file.text)
    ], absent=NO_RCU)  # fmt: skip
add("drop-synchronize-rcu", LOCKING, "KERN145 KERN113 RUN306",
    "A panic on another CPU still uses the device that is freed next.",
    dropped("synchronize_rcu"), absent=NO_RCU)  # fmt: skip


@operator("synchronize-before-unlinking", LOCKING, "KERN145 KERN113 RUN306", absent=NO_RCU)
def _synchronize_early(driver: Driver) -> Iterable[Change]:
    """The grace period ends before the device has left the list."""
    for call in driver.calls("synchronize_rcu"):
        lock = driver.calls("mutex_lock", call.function)[0].statement
        text = lock.file.text[lock.start : call.statement.end]
        head = text[: text.index(str(call.statement))].rstrip()
        head = re.sub(r"\n\s*/\*.*?\*/\s*$", "", head, flags=re.DOTALL).rstrip()
        yield Change(lock.file.path, lock.start, call.statement.end,
                     f"{call.statement}\n\n\t{head}")  # fmt: skip


@operator(
    "update-after-unlock",
    LOCKING,
    "KERN110 KERN142 RUN309 RUN313",
    absent=NO_MUTEX,
    elsewhere=UNGUARDED,
)
def _update_after(driver: Driver) -> Iterable[Change]:
    """Two writers register the handler twice, or both unregister it."""
    name = roles.updater(driver)
    for first, last in roles.sections(driver):
        for call in driver.calls(name or "-", first.function):
            statement = call.statement
            if first.end < statement.start < last.start:
                end = statement.file.line_range(statement.start, statement.end)[1]
                rest = statement.file.text[end : last.end]
                start = statement.file.line_range(statement.start, statement.end)[0]
                yield Change(last.file.path, start, last.end, f"{rest}\n\t{statement}",
                             first.function)  # fmt: skip


@operator(
    "lock-taken-by-helper", LOCKING, "KERN107 KERN102 RUN305", absent=NO_MUTEX, elsewhere=PATH
)
def _taken_by_helper(driver: Driver) -> Iterable[Change]:
    """The helper takes the lock that its callers hold."""
    for call in driver.calls("lockdep_assert_held"):
        around = driver.functions()[call.function]
        statement = call.statement
        text = str(around)[statement.end - around.start : -2]
        name = str(call.arguments[0])
        yield Change(around.file.path, statement.start, around.end,
                     f"mutex_lock({name});{text}\n\tmutex_unlock({name});\n}}")  # fmt: skip


@operator("unregister-while-notified", LOCKING, "KERN101 KERN102 RUN305", elsewhere=PATH)
def _unregister(driver: Driver) -> Iterable[Change]:
    """Unregistering waits for the callbacks, and this is one."""
    callback = roles.panic_callback(driver)
    send = driver.calls(roles.sender(driver), callback)[0].statement
    yield send.after("atomic_notifier_chain_unregister(&panic_notifier_list, nb);", callback)
