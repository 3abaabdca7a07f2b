"""Facts that hold when a desk has come to rest, whatever was done to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from queues import channels
from tests.faults import limits
from tests.faults.people import Requester
from tests.faults.stack import Desk
from tests.faults.truth import Rows
from tests.services.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Travelled:
    """How the replies of a run arrived."""

    sent: int
    unknown: int
    doubled: int
    missing: int


def each_event_made_one_message(desk: Desk, requesters: Sequence[Requester]) -> None:
    """Every event that was answered 2xx is processed and has exactly one message, with its text, in its requester's
    ticket.
    """
    rows = desk.truth.rows("SELECT id, status, reason, ticket_id, message_id FROM inbox")
    inbox = {str(row["id"]): row for row in rows}
    messages = desk.truth.rows(
        "SELECT id, inbox_id, ticket_id, body, sequence FROM messages WHERE inbox_id IS NOT NULL"
    )
    by_event: dict[str, Rows] = defaultdict(list)
    for message in messages:
        by_event[str(message["inbox_id"])].append(message)
    texts = Counter(str(message["body"]) for message in messages)
    for requester in requesters:
        assert len(set(requester.event_ids)) == len(requester.sent)
        for text, event_id in zip(requester.sent, requester.event_ids, strict=True):
            assert inbox[event_id]["status"] == "processed", f"{text}: {inbox[event_id]}"
            assert len(by_event[event_id]) == 1, f"{text} made {len(by_event[event_id])} messages"
            assert by_event[event_id][0]["body"] == text
            assert texts[text] == 1, f"{text} is there {texts[text]} times"
        tickets = {str(by_event[event_id][0]["ticket_id"]) for event_id in requester.event_ids}
        assert len(tickets) == 1, f"the messages of one conversation lie in {len(tickets)} tickets"
        numbers = [by_event[event_id][0]["sequence"] for event_id in requester.event_ids]
        assert numbers == sorted(numbers), f"messages of {requester.address} were taken out of order: {numbers}"


def each_reply_arrived_once_in_order(desk: Desk, requesters: Sequence[Requester]) -> Travelled:
    """Every reply is stored once and arrived once, in order, except those whose attempt log says `unknown`."""
    stored = Counter(
        row["body"] for row in desk.truth.rows("SELECT body FROM messages WHERE author_kind <> 'requester'")
    )
    unknown = {
        row["body"]
        for row in desk.truth.rows(
            "SELECT m.body FROM messages AS m JOIN deliveries AS d ON d.message_id = m.id"
            " JOIN delivery_attempts AS a ON a.delivery_id = d.id WHERE a.outcome = 'unknown'"
        )
    }
    arrived: dict[str, list[str]] = defaultdict(list)
    for entry in desk.sandbox.outbox():
        if entry["channel"] == "telegram":
            arrived[str(entry["chat_id"])].append(entry["text"].strip())
        elif entry["channel"] == "email":  # other tests of the shared desk have outgoing webhooks there too
            arrived[entry["envelope_to"][0]].append(entry["text"].strip())
    total = doubled = missing = uncertain = 0
    for requester in requesters:
        texts = [text for text in arrived[requester.address] if text.startswith("answer ")]
        counts = Counter(texts)
        assert set(counts) <= set(requester.replies), f"{requester.address} got what nobody wrote to it"
        for text in requester.replies:
            total += 1
            assert stored[text] == 1, f"{text} is stored {stored[text]} times"
            if text in unknown:
                uncertain += 1
                doubled += counts[text] > 1
                if counts[text] == 0:
                    missing += 1
                    delivery = desk.truth.delivery(text)
                    assert delivery is not None
                    assert delivery["state"] == "unknown", f"{text} never arrived, and nobody can see it: {delivery}"
                _no_more_often_than_allowed(desk, requester, text, counts[text])
                continue
            assert counts[text] == 1, (
                f"{text} arrived {counts[text]} times and no attempt is unknown: {desk.truth.attempts(text)}"
            )
        certain = [text for text in texts if text not in unknown]
        assert certain == sorted(certain), f"answers to {requester.address} arrived out of order: {texts}"
    return Travelled(total, uncertain, doubled, missing)


def _no_more_often_than_allowed(desk: Desk, requester: Requester, text: str, arrived: int) -> None:
    """A send is repeated as often as the channel's rule says, and each arrival has an attempt that
    may have caused it.
    """
    attempts = desk.truth.attempts(text)
    may_have_arrived = [attempt for attempt in attempts if attempt["outcome"] in ("unknown", "accepted")]
    assert arrived <= len(may_have_arrived), f"{text} arrived {arrived} times, by {attempts}"
    # The soak's accounts are the demo's, whose files override none of the channel's rule.
    arrivals_max = 1 + channels.get(requester.channel).retries_after_unknown
    assert arrived <= arrivals_max, f"{text} arrived {arrived} times; the rule allows {arrivals_max}: {attempts}"


def the_desk_is_at_rest(desk: Desk) -> None:
    """No task is live or dead, no delivery is under way, no event failed, every history is without gaps."""
    rows = desk.truth.rows
    assert rows("SELECT id, kind, attempts, last_error FROM tasks WHERE state = 'dead'") == []
    live = "SELECT id, kind, state, attempts, last_error FROM tasks WHERE state IN ('ready', 'leased')"
    # A sweep may have enqueued a task of the housekeeping at this moment; it ends within milliseconds.
    wait_until(lambda: rows(live) == [], within_s=limits.settle_s, what=f"the end of {rows(live)}")
    assert rows("SELECT id, state, last_error FROM deliveries WHERE state IN ('pending', 'sending')") == []
    assert rows("SELECT a.id FROM delivery_attempts AS a WHERE a.state <> 'closed'") == []
    assert rows("SELECT id, reason FROM inbox WHERE status IN ('failed', 'stored')") == []
    histories_have_no_gaps(desk)


def histories_have_no_gaps(desk: Desk) -> None:
    """Event numbers run from 1 to the ticket's count, message numbers too."""
    gaps = desk.truth.rows(
        "SELECT aggregate, aggregate_id, min(sequence) AS first, max(sequence) AS last, count(*) AS n FROM events"
        " GROUP BY aggregate, aggregate_id HAVING min(sequence) <> 1 OR max(sequence) <> count(*)"
    )
    assert gaps == []
    wrong = desk.truth.rows(
        "SELECT t.number FROM tickets AS t WHERE t.event_sequence <> (SELECT count(*) FROM events AS e WHERE"
        " e.aggregate = 'ticket'"
        " AND e.aggregate_id = t.id) OR t.message_count <> (SELECT count(*) FROM messages AS m WHERE m.ticket_id ="
        " t.id)"
    )
    assert wrong == []
