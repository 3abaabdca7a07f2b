"""The bin: nothing of a deleted ticket is lost until its content is purged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from models.identity.rules import Permission
from models.kernel import settings
from models.kernel.errors import Contention, NestorError
from models.kernel.storage import database
from models.kernel.text import ERASED
from models.privacy import purging
from models.privacy.purging import NotInBin
from models.regrouping import merging
from models.tasks import commands as tasks
from models.tasks.payloads import CollectGarbage
from models.ticket_actions import commands
from models.ticket_actions.sorting import binning
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.page import page
from models.tickets.bin import TicketInBin, TicketPurged
from models.tickets.tables import Ticket
from models.undo import restorers
from models.visibility.sight import DESK
from tests.desk import Desk, gapless


def chat_ticket(desk: Desk, text: str = "Help!", chat: int = 42) -> Ticket:
    desk.receive_telegram(text, chat=chat)
    desk.run_due()
    return desk.tickets()[-1]


def deleted(desk: Desk, ticket: Ticket, note: str | None = None) -> None:
    desk.command(binning.delete, ticket.id, note=note, actor=desk.person())


def marked(desk: Desk, ticket: Ticket) -> None:
    desk.command(binning.mark_spam, ticket.id, note=None, actor=desk.person())


def listed(desk: Desk, **wanted: Any) -> list[int]:
    def read() -> list[int]:
        found = page(TicketFilter(**wanted), sort="number", after=None, limit=100, sight=DESK)
        return [ticket.number for ticket in found]

    found: list[int] = desk.command(read)
    return found


def test_a_deleted_ticket_leaves_the_list_and_refuses_acts_until_it_is_restored(desk: Desk) -> None:
    ticket = desk.create_ticket()

    deleted(desk, ticket, "a test")

    assert listed(desk) == []
    assert listed(desk, bin="deleted") == [ticket.number]
    refused = desk.refused(commands.update, ticket.id, {"priority": "high"}, expected_version=None, actor=desk.person())
    assert isinstance(refused, TicketInBin)
    desk.command(binning.restore, ticket.id, actor=desk.person())
    assert listed(desk) == [ticket.number]
    kinds = [event["event_type"] for event in desk.events(ticket)]
    assert kinds[-2:] == ["ticket_deleted", "ticket_restored"]


def test_a_message_of_the_requester_restores_a_deleted_ticket(desk: Desk) -> None:
    ticket = chat_ticket(desk)
    deleted(desk, ticket)

    desk.receive_telegram("Are you there?", chat=42)
    desk.run_due()

    assert desk.reload(ticket).binned_at is None
    assert desk.bodies(ticket) == ["Help!", "Are you there?"]
    assert [event["payload"] for event in desk.events(ticket, "ticket_restored")] == [{"by": "message"}]


def test_messages_of_a_spammer_wait_in_the_quarantine_until_the_mark_is_taken_back(desk: Desk) -> None:
    ticket = chat_ticket(desk, "Buy pills")
    marked(desk, ticket)

    event = desk.receive_telegram("Buy more pills", chat=42)
    desk.run_due()

    assert desk.bodies(ticket) == ["Buy pills"]
    rows = desk.rows("SELECT status, reason FROM inbox ORDER BY received_at DESC LIMIT 1")
    assert rows[0]["status"] == "failed"
    assert "marked as spam" in rows[0]["reason"]
    desk.command(binning.restore, ticket.id, actor=desk.person())
    desk.receive_telegram("Sorry, wrong chat", chat=42)
    desk.run_due()
    assert desk.bodies(ticket) == ["Buy pills", "Sorry, wrong chat"]
    assert event is not None


def test_a_life_cycle_rests_in_the_bin_and_catches_up_after_it(desk: Desk) -> None:
    ticket = desk.create_ticket()
    desk.transition(ticket, "resolve")
    deleted(desk, ticket)

    desk.advance(days=60)
    desk.run_due()
    assert desk.reload(ticket).state == "solved", "the timer that closes the ticket waits"

    desk.command(binning.restore, ticket.id, actor=desk.person())
    desk.run_due()
    assert desk.reload(ticket).state == "closed"
    assert gapless([event["sequence"] for event in desk.events(ticket)])


def test_a_purge_removes_the_content_and_keeps_the_numbers(desk: Desk) -> None:
    ticket = chat_ticket(desk, "My secret")
    other = chat_ticket(desk, "Another person", chat=43)
    desk.reply(ticket, "Your secret is safe")
    desk.run_due()
    deleted(desk, ticket)

    desk.command(purging.purge, ticket.id, actor=desk.person("admin"))

    now = desk.reload(ticket)
    assert (now.title, now.binned_as, now.state) == (ERASED, "purged", desk.reload(ticket).state)
    assert now.message_count == ticket.message_count + 1
    everything = str(desk.messages(ticket)) + str(desk.events(ticket)) + str(desk.deliveries(ticket))
    assert "secret" not in everything
    assert listed(desk, bin="any") == [other.number]
    assert desk.bodies(other) == ["Another person"]
    assert isinstance(desk.refused(binning.restore, ticket.id, actor=desk.person()), TicketPurged)
    assert gapless([event["sequence"] for event in desk.events(ticket)])


def merged(desk: Desk, source: Ticket, target: Ticket) -> None:
    desk.command(merging.merge, source.id, target.id, actor=desk.person("admin"), sight=DESK, confirmed=True)


def everything_about(desk: Desk, *tickets: Ticket) -> str:
    """Return all rows of some tickets as a text."""
    return str(
        [
            [desk.rows("SELECT * FROM tickets WHERE id = :id", id=one.id), desk.messages(one), desk.events(one)]
            for one in tickets
        ]
    )


def test_a_purge_removes_the_content_of_the_tickets_that_were_merged_into_it(desk: Desk) -> None:
    first = desk.create_ticket("Secret of Ada", description="secret one", email="ada@secret.test")
    second = desk.create_ticket("Secret of Bob", description="secret two", email="bob@secret.test")
    target = desk.create_ticket("Secret of Cleo", description="secret three", email="cleo@secret.test")
    merged(desk, first, second)
    merged(desk, second, target)
    deleted(desk, target)

    desk.command(purging.purge, target.id, actor=desk.person("admin"))

    assert "ecret" not in everything_about(desk, first, second, target)
    for ticket in (first, second, target):
        now = desk.reload(ticket)
        assert (now.title, now.contact_address, now.binned_as) == (ERASED, None, "purged")
        assert len(desk.events(ticket, "ticket_purged")) == 1
        assert gapless([event["sequence"] for event in desk.events(ticket)])
    desk.command(purging.purge, target.id, actor=desk.person("admin"))
    assert len(desk.events(first, "ticket_purged")) == 1


def test_a_purge_leaves_a_ticket_whose_merge_was_undone(desk: Desk) -> None:
    source, target = desk.create_ticket("Ours"), desk.create_ticket("Theirs")
    undo_id = desk.command(merging.merge, source.id, target.id, actor=desk.person("admin"), sight=DESK, confirmed=True)
    desk.command(restorers.restore, undo_id, actor=desk.person("admin"), permissions=frozenset(Permission))
    deleted(desk, target)

    desk.command(purging.purge, target.id, actor=desk.person("admin"))

    assert (desk.reload(source).title, desk.reload(source).binned_as) == ("Ours", None)


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_a_purge_is_repeatable_when_a_merge_commits_before_its_locks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = desk.create_ticket("Secret"), desk.create_ticket("Target")
    found = purging._merged_into

    def merge_and_delete() -> None:
        merged(desk, source, target)
        deleted(desk, target)

    def found_before_the_merge(ticket_id: UUID) -> list[UUID]:
        monkeypatch.setattr(purging, "_merged_into", found)
        early = found(ticket_id)
        other_transaction(merge_and_delete)
        return early

    monkeypatch.setattr(purging, "_merged_into", found_before_the_merge)
    refused = desk.refused(purging.purge, target.id, actor=desk.person("admin"))

    assert isinstance(refused, Contention)
    desk.command(purging.purge, target.id, actor=desk.person("admin"))
    assert desk.reload(source).title == ERASED


def other_transaction(work: Callable[[], object]) -> None:
    """Do some work on another connection, beside the open transaction."""

    def run() -> None:
        work()
        database.proxy.obj.close()

    other = threading.Thread(target=run)
    other.start()
    other.join()


def test_only_a_ticket_in_the_bin_can_be_purged(desk: Desk) -> None:
    refused: NestorError = desk.refused(purging.purge, desk.create_ticket().id, actor=desk.person("admin"))

    assert isinstance(refused, NotInBin)


def test_a_message_after_a_purge_opens_a_new_ticket(desk: Desk) -> None:
    ticket = chat_ticket(desk)
    deleted(desk, ticket)
    desk.command(purging.purge, ticket.id, actor=desk.person("admin"))

    desk.receive_telegram("Hello again", chat=42)
    desk.run_due()

    assert len(listed(desk)) == 1
    assert desk.reload(ticket).binned_as == "purged"


def test_the_bin_empties_after_its_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIN_DAYS", "10")
    settings.current.cache_clear()
    ticket, kept, source = desk.create_ticket(), desk.create_ticket(), desk.create_ticket()
    merged(desk, source, ticket)
    deleted(desk, ticket)

    desk.advance(days=9)
    desk.command(tasks.enqueue, CollectGarbage(), key=None)
    desk.run_due()
    assert desk.reload(ticket).binned_as == "deleted"

    desk.advance(days=2)
    desk.command(tasks.enqueue, CollectGarbage(), key=None)
    desk.run_due()
    assert [desk.reload(one).binned_as for one in (ticket, source)] == ["purged", "purged"]
    assert desk.reload(kept).binned_as is None
    settings.current.cache_clear()


def test_the_housekeeping_empties_merged_tickets_that_an_earlier_release_left_behind_a_purge(desk: Desk) -> None:
    source, target = desk.create_ticket("Secret"), desk.create_ticket()
    deleted(desk, target)
    desk.command(purging.purge, target.id, actor=desk.person("admin"))
    with database.transaction():
        database.execute("UPDATE tickets SET merged_into = :target WHERE id = :id", target=target.id, id=source.id)
    desk.advance(days=settings.current().bin_days + 1)

    desk.command(tasks.enqueue, CollectGarbage(), key=None)
    desk.run_due()

    assert "Secret" not in everything_about(desk, source)
    assert purging.purge_due() == 0
