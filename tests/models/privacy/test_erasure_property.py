"""Erasing A leaves every row of B byte for byte as it was, and no text of A anywhere, whatever the two did before.

A and B write, answer, name copies, react, edit, are quarantined, wait and are merged, in tickets of their own and in
each other's. The address of B contains A's.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.conversations import participants
from models.events.commands import SYSTEM
from models.inbox import commands as inbox
from models.kernel.errors import Conflict
from models.kernel.storage import database
from models.ports.inbound import Participant
from models.privacy import erasure, export
from models.requesters import commands as requesters
from models.requesters import merging
from models.ticket_actions import answering
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from queues import people_index
from tests.desk import Desk
from tests.models.privacy.dump import Rows, everything, places

NUMBERS = itertools.count(10_001)


class Story:
    """One run of the desk: what each person does."""

    def __init__(self, desk: Desk) -> None:
        number = next(NUMBERS)
        self.mail = {"A": f"an{number}@over.test", "B": f"jo.an{number}@over.test.example"}
        self.chat = {"A": 700_000_000 + number, "B": 1_700_000_000 + number}
        self.name = {"A": f"Marker-Ada-{number}", "B": f"Jo-{number}"}
        self.words = {"A": f"marker-of-ada-{number}", "B": f"words-of-jo-{number}"}
        self.group = -1_005_000_000 - number
        self.desk = desk
        self.last: dict[str, str] = {}
        self.events: list[UUID] = []

    def _mail(self, who: str, *, answers: str | None = None, copy: str | None = None, headers: str = "") -> None:
        number = len(self.events)
        lines = [
            f"From: {self.name[who]} <{self.mail[who]}>",
            "To: desk@example.test",
            f"Subject: {self.words[who]} subject",
            f"Message-ID: <{number}.{id(self)}@mail.test>",
        ]
        if answers is not None:
            lines.append(f"In-Reply-To: {answers}")
        if copy is not None:
            lines.append(f"Cc: third{copy}@else.test")
        raw = "\r\n".join([*lines, *filter(None, [headers]), "", f"{self.words[who]} {number}"]).encode()
        self.events.append(self.desk.receive_raw("email", raw, content_type="message/rfc822"))

    def writes(self, who: str) -> None:
        self._mail(who)
        self.desk.run_due()

    def copies(self, who: str) -> None:
        self._mail(who, copy=str(len(self.events)))
        self.desk.run_due()

    def chats(self, who: str) -> None:
        number = 500 + len(self.events)
        event = self.desk.receive_telegram(
            f"{self.words[who]} chat", chat=self.chat[who], name=self.name[who], message_id=number
        )
        self.events.append(event)
        self.last[who] = f"{number}"
        self.desk.run_due()

    def edits(self, who: str) -> None:
        if who in self.last:
            self.desk.advance(seconds=2)
            self.events.append(
                self.desk.receive_telegram(
                    f"{self.words[who]} edited {len(self.events)}",
                    chat=self.chat[who],
                    name=self.name[who],
                    message_id=int(self.last[who]),
                    edit=True,
                )
            )
            self.desk.run_due()

    def says_in_the_group(self, who: str) -> None:
        event = self.desk.receive_telegram(
            f"{self.words[who]} group", chat=self.group, user=self.chat[who], name=self.name[who]
        )
        self.events.append(event)
        self.desk.run_due()

    def reacts(self, who: str) -> None:
        """React to the newest message of the other, which stays theirs."""
        with database.transaction():
            for row in database.run("SELECT id, reactions FROM messages WHERE channel = 'telegram'"):
                held = row["reactions"] if isinstance(row["reactions"], dict) else json.loads(row["reactions"])
                database.execute(
                    "UPDATE messages SET reactions = :new WHERE id = :id",
                    new=json.dumps({**held, str(self.chat[who]): ["+"]}),
                    id=row["id"],
                )

    def is_answered(self, who: str) -> None:
        for ticket in self._tickets(who)[-1:]:
            self.desk.reply(ticket, f"Dear {self.name[who]}, about {self.words[who]}.")
            self.desk.run_due()

    def is_noted(self, who: str) -> None:
        for ticket in self._tickets(who)[-1:]:
            self.desk.command(answering.note, ticket.id, f"A note about {self.words[who]}.", actor=SYSTEM)
            self.desk.run_due()

    def joins_the_other(self, who: str) -> None:
        """Answer in the other's ticket, as a participant."""
        other = "B" if who == "A" else "A"
        for ticket in [one for one in self._tickets(other) if one.channel == "email"][-1:]:
            with database.transaction():
                change = TicketChange.of(ticket.id, actor=SYSTEM)
                participants.add(change, "email", [Participant(self.name[who], self.mail[who])], role="copy")
                change.save()
            self.desk.reply(ticket, f"Dear {self.name[other]}, {self.words[other]}.")
            self.desk.run_due()
            sent = [one["external_id"] for one in self.desk.messages(ticket) if one["direction"] == "outbound"]
            self._mail(who, answers=sent[-1])
            self.desk.run_due()

    def is_quarantined(self, who: str) -> None:
        self._mail(who)
        with database.transaction():
            database.execute("UPDATE tasks SET state = 'done' WHERE kind = 'ingest_event' AND state = 'ready'")
            inbox.record_failure(inbox.load(self.events[-1]), "quarantined")

    def waits(self, who: str) -> None:
        self._mail(who)

    def is_merged(self, who: str) -> None:
        with database.transaction():
            found = [
                requesters.find("email", self.mail[who]),
                requesters.find("telegram", str(self.chat[who])),
            ]
            ids = [one.id for one in found if one is not None]
            if len(set(ids)) == 2:
                merging.merge(ids[1], ids[0], by="somebody", reason=f"{self.name[who]} twice")

    def _tickets(self, who: str) -> list[Ticket]:
        with database.connection():
            found = [requesters.find("email", self.mail[who]), requesters.find("telegram", str(self.chat[who]))]
        ids = {one.id for one in found if one is not None}
        return [ticket for ticket in self.desk.tickets() if ticket.requester_id in ids]

    # -- the erasure and what is left ------------------------------------------------------------------------

    def erase_a(self) -> None:
        """Erase every requester with an address of A: the one whom both have become, or two."""
        for channel, address in (("email", self.mail["A"]), ("telegram", str(self.chat["A"]))):
            with database.transaction():
                people_index.index_waiting()
                found = requesters.find(channel, address)
                if found is not None:
                    exported = json.dumps(export.export(found.id), default=str)
                    assert self.words["B"] not in exported, "the export has no words of others"
                    erasure.erase(found.id, actor=SYSTEM)

    def theirs(self, rows: Rows) -> dict[tuple[str, str, str], str]:
        """The values of B's rows: those that name B by an address, a name or words, and hold no words of A."""
        marks = (self.mail["B"], self.words["B"], str(self.chat["B"]))
        return {
            (table, key, column): value
            for table in _TABLES
            for key, row in rows[table].items()
            if any(mark in "\n".join(row.values()) for mark in marks) and self.words["A"] not in "\n".join(row.values())
            for column, value in row.items()
            # A's reactions are removed from everybody's messages, and A as a reader from the desk's.
            if (table, column) != ("messages", "reactions")
            and not (table == "messages" and column == "copies" and row["author_kind"] != "requester")
        }

    def left_of_a(self, rows: Rows) -> set[str]:
        """The places of A's texts, name and addresses, outside of B's addresses, which contain A's."""
        without_b = {
            table: {
                key: {
                    column: value.replace(self.mail["B"], "").replace(str(self.chat["B"]), "")
                    for column, value in row.items()
                }
                for key, row in found.items()
            }
            for table, found in rows.items()
        }
        return places(without_b, self.mail["A"], self.words["A"], self.name["A"], str(self.chat["A"]))


_TABLES = (
    "messages",
    "inbox",
    "attachments",
    "identities",
    "requesters",
    "deliveries",
    "message_references",
    "message_whole_html",
)
Acts = list[tuple[str, str]]


def check(desk: Desk, acts: Acts) -> None:
    story = Story(desk)
    for act, who in acts:
        ACTS[act](story, who)
    with database.transaction():
        people_index.index_waiting()
    before = everything()

    story.erase_a()

    after = everything()
    theirs = story.theirs(before)
    assert {(table, key, column): after[table][key][column] for table, key, column in theirs} == theirs
    assert story.left_of_a(after) == set()
    # Every event of the two is replayed, as far as the desk lets an operator.
    desk.run_due()
    for event in story.events:
        with database.transaction(), contextlib.suppress(Conflict):
            inbox.replay(event)
    desk.run_due()
    assert story.left_of_a(everything()) == set()


ACTS: dict[str, Callable[[Story, str], None]] = {
    act.__name__: act
    for act in (
        Story.writes,
        Story.copies,
        Story.chats,
        Story.edits,
        Story.says_in_the_group,
        Story.reacts,
        Story.is_answered,
        Story.is_noted,
        Story.joins_the_other,
        Story.is_quarantined,
        Story.waits,
        Story.is_merged,
    )
}
STORIES = st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from("AB")), min_size=4, max_size=10)


# A failing example is short already, and each attempt to shorten it costs seconds.
_PHASES = (Phase.explicit, Phase.generate)


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
@settings(
    max_examples=8,
    derandomize=True,
    phases=_PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=STORIES)
def test_an_erasure_leaves_all_of_b_and_nothing_of_a(desk: Desk, acts: Acts) -> None:
    """The examples share one desk; each has two persons of its own. The desk knows A by both addresses."""
    check(desk, [("writes", "A"), ("chats", "A"), *acts])


_ALL: Acts = [(act, who) for act in ACTS for who in "AB"]


@pytest.mark.parametrize("acts", [_ALL, [*_ALL[::-1], *_ALL]], ids=["forward", "backward_and_forward"])
def test_an_erasure_after_all_acts_leaves_all_of_b_and_nothing_of_a(desk: Desk, acts: Acts) -> None:
    check(desk, acts)
