"""Random merges, splits, undos and messages: every message is in exactly one ticket, and every log can be replayed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.conversations.tables import Message
from models.events.tables import EventRow
from models.identity.rules import Permission
from models.kernel.errors import Conflict
from models.kernel.storage import database
from models.regrouping import merging, splitting
from models.ticket_actions import answering
from models.tickets.tables import Ticket
from models.undo import restorers
from models.visibility.sight import DESK
from tests.desk import Desk

_PLACE = st.integers(0, 5)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), _PLACE, _PLACE),
        st.tuples(st.just("split"), _PLACE, st.integers(0, 3)),
        st.tuples(st.just("undo"), _PLACE, st.just(0)),
        st.tuples(st.just("note"), _PLACE, st.just(0)),
    ),
    min_size=1,
    max_size=12,
)


class Story:
    """The tickets, messages and undos of one example. A refused step changes nothing."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.actor = desk, desk.person()
        made = [desk.create_ticket(f"T{n}", description=f"m{n}", email="ada@example.com") for n in range(3)]
        self.tickets: list[UUID] = [ticket.id for ticket in made]
        self.undos: list[UUID] = []
        self.done = 0
        for ticket_id in self.tickets:
            self.note(ticket_id)

    def step(self, kind: str, first: int, second: int) -> None:
        one = self.tickets[first % len(self.tickets)]
        try:
            with database.transaction():
                if kind == "merge":
                    other = self.tickets[second % len(self.tickets)]
                    self.undos.append(merging.merge(one, other, actor=self.actor, sight=DESK))
                elif kind == "split":
                    ids = self.messages_of(one)[: second + 1]
                    wish = splitting.Wish(ids, "split")
                    made, undo_id = splitting.split(one, wish, actor=self.actor)
                    self.tickets.append(made)
                    self.undos.append(undo_id)
                elif kind == "undo" and self.undos:
                    restorers.restore(
                        self.undos[first % len(self.undos)], actor=self.actor, permissions=frozenset(Permission)
                    )
        except Conflict:
            return
        if kind == "note":
            self.note(one)
        self.done += 1

    def note(self, ticket_id: UUID) -> None:
        try:
            with database.transaction():
                answering.note(ticket_id, "note", actor=self.actor)
        except Conflict:
            return

    def messages_of(self, ticket_id: UUID) -> list[UUID]:
        query = Message.select(Message.id).where(Message.ticket_id == ticket_id).order_by(Message.sequence)
        return [row["id"] for row in database.rows(query)]

    def check(self) -> None:
        """Check the rows of all tickets of the story."""
        with database.connection():
            where = Message.ticket_id.in_(self.tickets)
            messages = database.rows(Message.select().where(where).order_by(Message.ticket_id, Message.sequence))
            tickets = {row["id"]: row for row in database.rows(Ticket.select().where(Ticket.id.in_(self.tickets)))}
            of_tickets = EventRow.aggregate_id.in_(self.tickets)
            events = database.rows(EventRow.select().where(of_tickets).order_by(EventRow.event_id))
        placed: dict[UUID, list[Any]] = defaultdict(list)
        for message in messages:
            placed[message["ticket_id"]].append(message)
        for ticket_id, ticket in tickets.items():
            mine = placed[ticket_id]
            assert [one["sequence"] for one in mine] == list(range(1, ticket["message_count"] + 1))
            assert [one["created_at"] for one in mine] == sorted(one["created_at"] for one in mine)
            numbers = sorted(one["sequence"] for one in events if one["aggregate_id"] == ticket_id)
            assert numbers == list(range(1, ticket["event_sequence"] + 1))
            if ticket["merged_into"] is not None:
                assert (mine, ticket["category"]) == ([], "closed")
            self._ends(tickets, ticket_id)
        assert _replayed(events) == {one["id"]: one["ticket_id"] for one in messages}
        for table in ("deliveries", "message_references", "attachments", "inbox"):
            wrong = (
                f"SELECT 1 FROM {table} AS x JOIN messages AS m ON m.id = x.message_id WHERE x.ticket_id <> m.ticket_id"
            )
            assert self.desk.rows(wrong) == [], table

    def _ends(self, tickets: dict[UUID, Any], ticket_id: UUID) -> None:
        seen: set[UUID] = set()
        while tickets[ticket_id]["merged_into"] is not None:
            assert ticket_id not in seen, "merges form a circle"
            seen.add(ticket_id)
            ticket_id = tickets[ticket_id]["merged_into"]


def _replayed(events: list[Any]) -> dict[UUID, UUID]:
    """The ticket of each message, from the logs alone."""
    place: dict[UUID, UUID] = {}
    for event in events:
        here, payload, kind = event["aggregate_id"], event["payload"], event["event_type"]
        ids = [UUID(one) for one in payload.get("message_ids", ())]
        if kind in ("message_received", "message_added", "note_added"):
            place[UUID(payload["message_id"])] = here
        elif kind in ("ticket_merge_received", "ticket_split_from"):
            place |= dict.fromkeys(ids, here)
        elif kind in ("ticket_merge_undone", "ticket_split_undone"):
            place |= dict.fromkeys(ids, UUID(payload["messages_in"]))
    return place


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(steps=_STEPS)
def test_random_merges_splits_undos_and_messages_keep_every_message_once(desk: Desk, steps: list[Any]) -> None:
    story = Story(desk)

    for step in steps:
        story.step(*step)
        story.check()


def test_the_steps_do_something(desk: Desk) -> None:
    """A story whose steps are all refused would prove nothing."""
    story = Story(desk)

    for step in [("merge", 0, 1), ("note", 1, 0), ("split", 1, 1), ("merge", 3, 2), ("undo", 2, 0), ("undo", 0, 0)]:
        story.step(*step)
        story.check()

    assert story.done >= 5
    assert len(story.undos) == 3
