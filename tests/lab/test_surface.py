# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a kernel log and of texts to store is compared."""

from __future__ import annotations

from gen.lab.surface import store_texts, warnings

LOG = """\
<4>[    5.1] clocksource: Long readout interval
<4>[    5.2] acme_watch: loading out-of-tree module taints kernel.
<4>[    5.3] WARNING: CPU: 0 PID: 1 at kernel/x.c:1
"""


def test_the_log_of_a_busy_host_does_not_count_but_ours_and_alarms_do() -> None:
    seen = [check.seen.partition(":")[0] for check in warnings(LOG, ["acme-watch"])]
    assert seen == ["acme_watch", "WARNING"]


def test_stores_are_different_texts_odd_ones_among_them() -> None:
    texts = store_texts(3, 16)
    assert len(texts) == len(set(texts))
    assert {b"", b"1\0", b"zz", b"0x3"} <= set(texts)
