"""The index follows the desk: what is written, edited, deleted, renamed and erased."""

from __future__ import annotations

from uuid import UUID

from models.events.following import consumers
from models.kernel.storage import database
from models.privacy import erasure
from models.requesters.tables import Requester
from models.search import finding, searching
from models.search.index import waking, writing
from models.search.index.consumer import CONSUMER
from models.search.tables import SearchDocument
from models.ticket_lists.filters import TicketFilter
from models.visibility.sight import DESK
from scripts import search as script
from tests.desk import Desk


def found(query: str) -> list[UUID]:
    with database.connection():
        search = searching.read(query, wanted=TicketFilter(), sight=DESK).search
        return [one.ticket.id for one in finding.page(search, sort="number", after=None, limit=50)]


def begin() -> None:
    """Store the position of the consumer, as the first process of a release does."""
    with database.transaction():
        consumers.ensure([CONSUMER])


def follow() -> None:
    """Read the log to its end."""
    while consumers.step(CONSUMER):
        pass


def test_a_message_is_found_after_its_event_and_not_after_its_deletion(desk: Desk) -> None:
    begin()
    desk.receive_telegram("Hello")
    desk.receive_telegram("The zanzibar burns", message_id=7)
    desk.run_due()
    follow()
    ticket = desk.ticket()
    assert found("zanzibar") == [ticket.id]

    desk.receive_telegram("The printer burns", message_id=7, edit=True)
    desk.run_due()
    follow()

    assert found('"printer burns"') == [ticket.id]
    assert found("zanzibar") == []


def test_a_ticket_from_before_the_first_process_of_the_release_is_found(desk: Desk) -> None:
    ticket = desk.create_ticket("Zanzibar")

    begin()
    follow()

    assert found("zanzibar") == [ticket.id]


def test_a_renamed_requester_is_found_by_the_new_name(desk: Desk) -> None:
    begin()
    ticket = desk.create_ticket(email="ada@example.com", requester_name="Ada Lovelace")
    desk.index()
    script.write()
    assert found("lovelace") == [ticket.id]

    with database.transaction():
        Requester.update(name="Ada Byron").where(Requester.id == ticket.requester_id).execute()
    waking.wake()
    desk.run_due()

    assert found("byron") == [ticket.id]
    assert found('"ada byron"') == [ticket.id]


def test_an_erasure_leaves_no_word_of_the_person_in_the_index(desk: Desk) -> None:
    theirs = desk.create_ticket("Zanzibar", email="ada@example.com", description="The secretword")
    other = desk.create_ticket("Printer", email="bob@example.com")
    desk.index()

    with database.transaction():
        assert theirs.requester_id is not None
        erasure.erase(theirs.requester_id, actor=desk.person("admin"))

    assert found("zanzibar") == found("secretword") == found("ada@example.com") == []
    assert found("printer") == [other.id]
    with database.connection():
        rows = database.rows(SearchDocument.select().where(SearchDocument.ticket_id == theirs.id))
    assert "secretword" not in str(rows)


def test_a_ticket_that_is_gone_leaves_the_index(desk: Desk) -> None:
    ticket = desk.create_ticket("Zanzibar")
    desk.index()

    with database.transaction():
        database.run("DELETE FROM search_documents WHERE ticket_id = :id", id=ticket.id)

    assert found("zanzibar") == []


def test_a_rebuild_writes_every_document_again_and_goes_on_where_it_stopped(desk: Desk) -> None:
    tickets = [desk.create_ticket(f"Zanzibar {number}") for number in range(3)]
    with database.transaction():
        writing.mark_all()
        writing.mark_all()  # twice is once
    with database.transaction():
        assert writing.index_pending(2) == 2  # and the command is stopped

    assert script.write() == 1

    assert found("zanzibar") == [ticket.id for ticket in tickets]
    with database.connection():
        assert writing.state() == writing.State(documents=3, pending=0, old=0)
