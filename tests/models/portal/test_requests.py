"""A visitor sees and changes only their own tickets, and reads only messages that they wrote or that went to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from models.attachments import commands as attachments
from models.infomodel import published
from models.kernel import clock
from models.kernel.errors import Invalid, NestorError, NotFound, TooManyRequests
from models.kernel.storage import database
from models.portal import acts, limits, requests
from models.portal.acts import TransitionRefused
from models.portal.sign_in import Visitor
from models.regrouping import merging, requester_change
from models.ticket_actions import answering
from models.ticket_actions.answering import TicketClosed
from models.tickets.tables import Ticket
from models.visibility.sight import DESK
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.portal.visiting import ADA, visit

pytestmark = sqlite_only
GRACE = "grace@example.com"


def opened(desk: Desk, visitor: Visitor, title: str = "Printer prints blank pages", **more: Any) -> Ticket:
    """Open a request at the portal, and let the desk do what follows."""
    values = {"description": "The display shows E-41.", "fields": {}} | more
    ticket: Ticket = desk.command(acts.open_request, visitor, values.pop("type", "question"), title=title, **values)
    desk.run_due()
    return desk.reload(ticket)


def bodies(visitor: Visitor, number: int) -> list[str]:
    """The texts that a visitor sees in a request."""
    with database.connection():
        ticket = requests.find(visitor, number)
        return [one.row["body"] for one in requests.conversation(visitor, ticket).messages]


def numbers(visitor: Visitor) -> list[int]:
    with database.connection():
        return [one.number for one in requests.page(visitor)]


def refusal(work: Any, *arguments: Any, **named: Any) -> NestorError:
    with pytest.raises(NestorError) as caught, database.connection(), database.transaction():
        work(*arguments, **named)
    return caught.value


def test_a_new_address_opens_a_request_and_is_answered_by_mail(desk: Desk) -> None:
    visitor = visit(desk, "new@example.org")

    ticket = opened(desk, visitor, fields={"product": "Printer"})
    desk.reply(ticket, "Please pull the lever.")
    desk.run_due()

    assert (ticket.channel, ticket.type, ticket.fields["product"]) == ("portal", "question", "Printer")
    assert (ticket.contact_channel, ticket.contact_address) == ("email", "new@example.org")
    assert desk.sent[-1].address == "new@example.org"
    assert "Please pull the lever." in desk.sent[-1].body
    later = visit(desk, "new@example.org")
    assert numbers(later) == [ticket.number]
    assert bodies(later, ticket.number)[0] == "The display shows E-41."
    assert bodies(later, ticket.number)[-1] == "Please pull the lever."


def test_a_request_by_mail_goes_on_at_the_portal_and_reopens_by_the_same_reaction(desk: Desk) -> None:
    desk.receive_email(sender=f"Ada <{ADA}>", subject="Printer")
    desk.run_due()
    [ticket] = desk.tickets()
    desk.reply(ticket)
    desk.run_due()
    assert desk.reload(ticket).state == "waiting_on_requester"

    desk.command(acts.answer, visit(desk), ticket.id, "It came back.")
    desk.run_due()

    ticket = desk.reload(ticket)
    assert ticket.state == "open"
    assert ticket.unanswered_since is not None
    assert desk.messages(ticket)[-1]["channel"] == "portal"
    assert desk.events(ticket, "message_received")[-1]["payload"]["channel"] == "portal"


def test_answers_to_a_chats_request_stay_in_the_chat(desk: Desk) -> None:
    visitor = visit(desk)
    ticket = opened(desk, visitor)
    database_contact = ("telegram", "demo", "42")
    with database.connection(), database.transaction():
        database.execute(
            "UPDATE tickets SET contact_channel = :c, contact_account = :a, contact_address = :d WHERE id = :id",
            c=database_contact[0],
            a=database_contact[1],
            d=database_contact[2],
            id=ticket.id,
        )

    desk.command(acts.answer, visit(desk), ticket.id, "Here I am.")

    ticket = desk.reload(ticket)
    assert (ticket.contact_channel, ticket.contact_account, ticket.contact_address) == database_contact


def test_another_requesters_ticket_does_not_exist_for_a_visitor(desk: Desk) -> None:
    ticket = opened(desk, visit(desk))
    known, unknown = visit(desk, GRACE), visit(desk, "new@example.org")
    opened(desk, known, "Mine")
    known = visit(desk, GRACE)

    for visitor in (known, unknown):
        with database.connection(), pytest.raises(NotFound):
            requests.find(visitor, ticket.number)
        assert ticket.number not in numbers(visitor)
        for work, more in (
            (acts.answer, ("Let me in",)),
            (acts.rate, (5, None)),
        ):
            assert isinstance(refusal(work, visitor, ticket.id, *more), NotFound)
        assert isinstance(refusal(acts.transition, visitor, ticket.id, "withdraw", comment=None), NotFound)
    assert len(desk.bodies(ticket)) == 1


def test_a_visitor_sees_no_note_no_unsent_answer_and_no_mail_to_other_people(desk: Desk) -> None:
    ticket = opened(desk, visit(desk))
    agent = desk.person()
    desk.command(answering.note, ticket.id, "Internal words.", actor=agent)
    desk.command(answering.reply, ticket.id, "To the supplier.", actor=agent, to="supplier@example.net")
    desk.reply(ticket, "Tomorrow.", send_at=clock.now() + timedelta(days=1))
    desk.reply(ticket, "Now.")
    desk.run_due()

    shown = bodies(visit(desk), ticket.number)

    assert shown[-1] == "Now."
    assert not {"Internal words.", "To the supplier.", "Tomorrow."} & set(shown)


def test_the_answer_of_a_third_party_is_not_shown_unless_it_went_to_the_requester_too(desk: Desk) -> None:
    ticket = opened(desk, visit(desk))
    desk.command(
        answering.reply, ticket.id, "To the supplier.", actor=desk.person(), to="supplier@example.net", copies=[]
    )
    desk.run_due()
    sent = desk.sent[-1].message.external_id
    desk.receive_email("Only for you.", sender="supplier@example.net", in_reply_to=sent)
    desk.receive_email("For both.", sender="supplier@example.net", in_reply_to=sent, headers={"Cc": ADA})
    desk.run_due()

    shown = bodies(visit(desk), ticket.number)

    assert {"Only for you.", "For both."} <= set(desk.bodies(ticket))
    assert "Only for you." not in shown
    assert "For both." in shown


def test_a_merged_request_leads_to_its_target_only_if_that_is_the_visitors_too(desk: Desk) -> None:
    ada = visit(desk)
    first, second, third = opened(desk, ada, "One"), opened(desk, ada, "Two"), opened(desk, ada, "Three")
    foreign = opened(desk, visit(desk, GRACE), "Hers")
    ada = visit(desk)
    admin = desk.person("admin")
    merge(desk, first, second, admin)
    merge(desk, third, foreign, admin)

    with database.connection():
        assert requests.find(ada, first.number).number == second.number
        with pytest.raises(NotFound):
            requests.find(ada, third.number)
    assert numbers(ada) == [second.number]
    assert isinstance(refusal(acts.answer, ada, third.id, "Hello"), NotFound)


def merge(desk: Desk, source: Ticket, target: Ticket, actor: Any) -> None:
    desk.command(merging.merge, source.id, target.id, actor=actor, sight=DESK, confirmed=True)


def test_a_merge_and_a_change_of_the_requester_show_nobody_the_answers_to_the_other_person(desk: Desk) -> None:
    ada, grace = visit(desk), visit(desk, GRACE)
    adas, graces, given = opened(desk, ada), opened(desk, grace), opened(desk, ada)
    desk.reply(adas, "For Ada's eyes.")
    desk.reply(given, "Also for Ada.")
    desk.run_due()
    admin = desk.person("admin")
    merge(desk, desk.reload(adas), graces, admin)
    grace = visit(desk, GRACE)
    assert grace.requester is not None
    desk.command(requester_change.change_requester, given.id, grace.requester.id, actor=admin)

    assert bodies(grace, graces.number)[0] == "The display shows E-41."
    assert not {"For Ada's eyes.", "Also for Ada."} & {*bodies(grace, graces.number), *bodies(grace, given.number)}
    assert len([text for text in bodies(grace, graces.number) if text == "The display shows E-41."]) == 1


def test_a_ticket_in_the_bin_is_not_shown(desk: Desk) -> None:
    ticket = opened(desk, visit(desk))
    with database.connection(), database.transaction():
        database.execute("UPDATE tickets SET binned_at = NOW(), binned_as = 'deleted' WHERE id = :id", id=ticket.id)
    visitor = visit(desk)

    assert numbers(visitor) == []
    with database.connection(), pytest.raises(NotFound):
        requests.find(visitor, ticket.number)
    assert isinstance(refusal(acts.answer, visitor, ticket.id, "Hello"), NotFound)


def test_a_request_takes_only_fields_that_requesters_may_edit(desk: Desk) -> None:
    visitor = visit(desk)

    for type_, fields in (("purchase", {"item": "Lamp", "order_number": "1"}), ("incident", {"workaround": "None"})):
        error = refusal(acts.open_request, visitor, type_, title="x", description="y", fields=fields)
        assert isinstance(error, Invalid)
        assert "requesters may not change this field" in str([one.message for one in error.problems])


def test_only_types_with_a_field_for_requesters_are_offered(desk: Desk) -> None:
    visitor = visit(desk)
    with database.connection():
        names = {one.name for one in requests.types()}

    assert "task" not in names
    assert {"question", "purchase"} <= names
    error = refusal(acts.open_request, visitor, "task", title="x", description="y", fields={})
    assert isinstance(error, NotFound)


def test_a_visitor_sees_the_fields_of_the_model_that_requesters_may_see(desk: Desk) -> None:
    ticket = opened(desk, visit(desk), type="incident", fields={"service": "Mail"})
    with database.connection(), database.transaction():
        entity = published.find("incident")
        assert entity is not None
        hidden = [name for name, field in entity.fields.items() if field.portal == "hidden"]
        ticket.fields = {**ticket.fields, **dict.fromkeys(hidden, "secret")}

    shown = {one.name: one.value for one in requests.fields_of(ticket)}

    assert shown["service"] == "Mail"
    assert hidden
    assert not set(hidden) & set(shown)


def test_a_visitor_takes_the_transitions_that_the_life_cycle_leaves_to_requesters(desk: Desk) -> None:
    ticket = opened(desk, visit(desk))
    visitor = visit(desk)
    with database.connection():
        names = [one.name for one in requests.choices(visitor, desk.reload(ticket))]

    refused = refusal(acts.transition, visitor, ticket.id, "close", comment=None)
    desk.command(acts.transition, visitor, ticket.id, "withdraw", comment=None)

    assert names == ["withdraw"]
    assert isinstance(refused, TransitionRefused)
    assert desk.reload(ticket).state == "solved"


def test_a_closed_request_takes_no_message(desk: Desk) -> None:
    ticket = opened(desk, visit(desk))
    desk.transition(ticket, "resolve")
    desk.transition(desk.reload(ticket), "close", role="admin")

    assert isinstance(refusal(acts.answer, visit(desk), ticket.id, "Again"), TicketClosed)


def test_files_are_used_by_their_uploader_only_and_seen_with_their_message_only(desk: Desk) -> None:
    ada, grace = visit(desk), visit(desk, GRACE)
    upload = attachments.upload([b"picture"], filename="display.png", content_type="image/png", by=ada.key)
    stolen = refusal(acts.open_request, grace, "question", title="x", description="y", fields={}, uploads=[upload])

    ticket = opened(desk, ada, uploads=[upload])
    foreign = opened(desk, grace)
    ada, grace = visit(desk), visit(desk, GRACE)

    assert isinstance(stolen, Invalid)
    with database.connection():
        [message] = [one for one in requests.conversation(ada, requests.find(ada, ticket.number)).messages if one.files]
        assert message.is_mine
        assert requests.file(ada, ticket, upload)["filename"] == "display.png"
        with pytest.raises(NotFound):
            requests.file(grace, desk.reload(foreign), upload)
        for unknown in (UUID(int=7), ticket.id):
            with pytest.raises(NotFound):
                requests.file(ada, ticket, unknown)


def test_a_file_of_a_note_is_not_given_to_the_requester(desk: Desk) -> None:
    ticket = opened(desk, visit(desk))
    agent = desk.person()
    upload = attachments.upload([b"plan"], filename="plan.txt", content_type="text/plain", by="user:x")
    note = desk.command(answering.note, ticket.id, "See the plan.", actor=agent)
    desk.command(attachments.use, [upload], ticket_id=ticket.id, message_id=note, by="user:x")

    visitor = visit(desk)
    with database.connection(), pytest.raises(NotFound):
        requests.file(visitor, ticket, upload)


def test_a_visitor_rates_what_the_life_cycle_asked_for(desk: Desk) -> None:
    ticket = opened(desk, visit(desk))
    visitor = visit(desk)
    assert isinstance(refusal(acts.rate, visitor, ticket.id, 5, None), NotFound)
    with database.connection(), database.transaction():
        database.execute(
            "INSERT INTO ratings (id, ticket_id, token_hash, asked_at) VALUES (:id, :ticket, 'x', NOW())",
            id=UUID(int=9),
            ticket=ticket.id,
        )

    desk.command(acts.rate, visitor, ticket.id, 4, "Quick.")

    (row,) = desk.rows("SELECT score, comment FROM ratings")
    assert row == {"score": 4, "comment": "Quick."}
    assert desk.events(ticket, "ticket_rated")[-1]["actor_kind"] == "requester"


def test_a_visitor_opens_and_writes_no_more_than_a_person_would(desk: Desk) -> None:
    visitor = visit(desk)
    first = opened(desk, visitor)
    visitor = visit(desk)
    for _ in range(limits.new_requests_burst - 1):
        opened(desk, visitor)
    for _ in range(limits.messages_burst):
        desk.command(acts.answer, visitor, first.id, "Hello?")

    more = {"title": "x", "description": "y", "fields": {}}
    assert isinstance(refusal(acts.open_request, visitor, "question", **more), TooManyRequests)
    assert isinstance(refusal(acts.answer, visitor, first.id, "Hello?"), TooManyRequests)
