"""kill -9 in the middle of a merge and of a bulk change: each message is there once, and the work ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import psycopg2

from models.bulk import limits as bulk_limits
from tests.faults import checks, limits
from tests.faults.client import Client
from tests.faults.people import Requester, unique
from tests.faults.stack import RealDesk
from tests.services.waiting import wait_until

# The first and the last table that a merge writes; a lock of one stops it there.
MERGE_POINTS = ("message_moves", "undos")
NOTE = "Sorted out"


@contextmanager
def held(desk: RealDesk, statement: str, *values: object) -> Iterator[None]:
    """Inside, another transaction holds what the statement locks."""
    with closing(psycopg2.connect(desk.truth.url)) as connection:
        connection.cursor().execute(statement, values)
        yield


def someone_waits(desk: RealDesk) -> bool:
    return bool(desk.truth.one("SELECT count(*) FROM pg_locks WHERE NOT granted"))


def wait_for_the_lock(desk: RealDesk) -> None:
    wait_until(lambda: someone_waits(desk), within_s=limits.settle_s, what="a statement that waits for the lock")


def conversation(desk: RealDesk, messages: int) -> Requester:
    requester = Requester(desk, "email")
    for _ in range(messages):
        requester.write()
    requester.ticket()
    return requester


def test_a_gateway_that_is_killed_in_a_merge_leaves_all_or_nothing_of_it(real_desk: RealDesk) -> None:
    """Failure matrix: the transaction rolls back; the repeat with its Idempotency-Key merges once."""
    source, target = conversation(real_desk, 3), conversation(real_desk, 2)
    real_desk.wait_until_drained()
    path, wanted = f"/v1/tickets/{source.ticket()}/merges", {"into": target.ticket(), "confirm": True}
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"merge-{unique()}"}
    gateway = real_desk.programs["gateway"]

    def merge_once() -> int:
        return (
            Client(real_desk.api_port, headers={"Authorization": "Bearer demo-key"})
            .once("POST", path, json.dumps(wanted).encode(), headers=headers)
            .status
        )

    try:
        with ThreadPoolExecutor(1) as people:
            for table in MERGE_POINTS:
                with held(real_desk, f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"):
                    merging = people.submit(merge_once)
                    wait_for_the_lock(real_desk)
                    gateway.kill()
                    assert merging.result() == 0
                if table == MERGE_POINTS[-1]:
                    gateway.environment["CRASH_AT"] = "after_commit"
                _restart(real_desk, "gateway")
                assert _placed(real_desk, source, target) == (3, 2), f"killed at {table}"
        # At last it ends between the commit and the answer.
        assert merge_once() == 0
        gateway.kill()
    finally:
        gateway.environment.pop("CRASH_AT", None)
    _restart(real_desk, "gateway")
    reply = real_desk.api().post(path, wanted, idempotency_key=headers["Idempotency-Key"])

    assert reply.status == 201
    assert _placed(real_desk, source, target) == (0, 5)
    merged = "SELECT count(*) FROM events WHERE aggregate_id = ? AND event_type = 'ticket_merged'"
    assert real_desk.truth.one(merged, source.ticket()) == 1
    real_desk.wait_until_drained()
    checks.histories_have_no_gaps(real_desk)


def _restart(desk: RealDesk, name: str) -> None:
    desk.programs[name].start()
    desk.wait_until_up()


def _placed(desk: RealDesk, *requesters: Requester) -> tuple[int, ...]:
    """The number of the requesters' messages in each ticket, once no transaction of a dead process is left."""
    left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    wait_until(lambda: desk.truth.one(left) == 0, within_s=limits.settle_s, what="the end of the dead transaction")
    count = "SELECT count(*) FROM messages WHERE ticket_id = ? AND direction = 'inbound'"
    return tuple(int(desk.truth.one(count, one.ticket())) for one in requesters)


def test_workers_that_are_killed_in_a_bulk_change_change_each_ticket_once(real_desk: RealDesk) -> None:
    """Failure matrix: the batch rolls back with its outcomes; the next run takes the tickets without an outcome."""
    api = real_desk.api()
    number = bulk_limits.batch_max + 5
    tickets = [_made(api, "/v1/tickets", {"title": f"Bulk {n}"})["id"] for n in range(number)]
    macro = _made(api, "/v1/macros", {"name": f"Sort {unique()}", "acts": [{"note": {"texts": {"en": NOTE}}}]})
    acts = [{"act": "macro", "macro_id": macro["id"]}]
    last = tickets[-1]

    with held(real_desk, "SELECT 1 FROM tickets WHERE id = %s FOR NO KEY UPDATE", last):
        job = _made(api, "/v1/bulk_changes", {"tickets": tickets, "acts": acts})
        # The first batch is done, the second one waits for its tickets.
        wait_until(
            lambda: _progress(api, job) == bulk_limits.batch_max and someone_waits(real_desk),
            within_s=limits.settle_s,
            what="the second batch",
        )
        _kill_workers(real_desk)
    with held(real_desk, "SELECT 1 FROM bulk_items WHERE bulk_id = %s AND outcome IS NULL FOR UPDATE", job["id"]):
        real_desk.start()
        # The second batch has changed its tickets and waits to store the outcomes.
        wait_for_the_lock(real_desk)
        _kill_workers(real_desk)
    real_desk.start()
    wait_until(lambda: _state(api, job) == "finished", within_s=limits.settle_s, what="the end of the bulk change")

    assert _progress(api, job) == number
    counts = real_desk.truth.rows(
        "SELECT ticket_id, count(*) AS notes FROM messages WHERE body = ? GROUP BY ticket_id", NOTE
    )
    assert {str(row["ticket_id"]): row["notes"] for row in counts} == dict.fromkeys(tickets, 1)
    real_desk.wait_until_drained()
    checks.histories_have_no_gaps(real_desk)


def _made(api: Client, path: str, value: Any) -> Any:
    reply = api.post(path, value, idempotency_key=f"make-{unique()}")
    assert reply.status in (201, 202), reply.body
    return reply.json()


def _progress(api: Client, job: Any) -> int:
    return int(api.get(f"/v1/bulk_changes/{job['id']}")["changed"])


def _state(api: Client, job: Any) -> str:
    return str(api.get(f"/v1/bulk_changes/{job['id']}")["state"])


def _kill_workers(desk: RealDesk) -> None:
    for worker in desk.workers:
        worker.kill()
