"""PostgreSQL is away for several leases while mails are being handed over: nobody died, so every mail arrives once."""

from __future__ import annotations

import time
from collections import Counter

from tests.faults import limits
from tests.faults.people import Requester
from tests.faults.stack import WORKER, RealDesk
from tests.services.postgres import PostgresServer
from tests.services.pytest_evidence import Tell
from tests.services.waiting import wait_until

away_s = 20.0  # six leases of this desk (TASK_LEASE_S), and as long as one of the product's
slow_s = 6.0  # a mail server takes so long for each mail: it answers while the database is away
mails = 6  # fewer than the two workers hand over at once (SENDS_AT_ONCE), so that all are under way


def test_a_database_that_is_away_for_several_leases_doubles_no_mail_that_was_under_way(
    real_desk: RealDesk, durable_postgres: PostgresServer, tell: Tell
) -> None:
    requesters = [Requester(real_desk, "email") for _ in range(mails)]
    for requester in requesters:
        requester.write()
        requester.ticket()
    real_desk.wait_until_drained()
    for requester in requesters:
        real_desk.sandbox.fail_mail("delay", stage="data", recipient=requester.address, delay_s=slow_s, times=1)
        requester.be_answered()
    wait_until(lambda: under_way(real_desk) == mails, within_s=limits.settle_s, what="all mails being handed over")

    durable_postgres.stop()
    back_at = time.monotonic() + away_s
    wait_until(lambda: all(arrived(real_desk, r) for r in requesters), within_s=limits.settle_s, what="every mail")
    answered_in_the_outage = time.monotonic() < back_at
    newcomer = real_desk.add("newcomer", WORKER)  # a process that saw nothing of the outage
    newcomer.start()
    wait_until(lambda: time.monotonic() >= back_at, within_s=away_s + 1, what="the end of the outage")
    durable_postgres.start()
    drained_s = real_desk.wait_until_drained()
    newcomer.close()
    del real_desk.programs["newcomer"]

    assert answered_in_the_outage
    counts = Counter(arrived(real_desk, requester) for requester in requesters)
    assert counts == {1: mails}, f"mails by how often they arrived: {dict(counts)}"
    logs = [real_desk.truth.attempts(requester.replies[-1]) for requester in requesters]
    assert [[attempt["outcome"] for attempt in log] for log in logs] == [["accepted"]] * mails
    tell(
        f"\nPostgreSQL away for {away_s:.0f} s: {mails} mails under way, each arrived once; drained {drained_s:.1f} s after"
    )


def under_way(desk: RealDesk) -> int:
    return int(desk.truth.one("SELECT count(*) FROM delivery_attempts WHERE state = 'sending'"))


def arrived(desk: RealDesk, requester: Requester) -> int:
    """How often the requester's answer arrived."""
    told = [e for e in desk.sandbox.outbox("email") if e["envelope_to"] == [requester.address]]
    return sum(entry["text"].strip() == requester.replies[-1] for entry in told)
