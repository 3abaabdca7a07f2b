"""A side conversation on both engines: a mail to the third party, the answer as a note, and a second mail."""

from __future__ import annotations

from models.kernel.storage import database
from models.side_conversations import commands, queries
from models.side_conversations.commands import Words
from tests.desk import Desk


def test_a_third_party_answers_and_is_written_to_again(desk: Desk) -> None:
    desk.receive_email("My part is broken.", sender="Ida <ida@firma.example>")
    desk.run_due()
    ticket, agent = desk.ticket(), desk.person()

    with database.transaction():
        side_id, _ = commands.start(
            ticket.id,
            Words("Do you have it?", forwarded=[desk.messages(ticket)[0]["id"]]),
            to="supplier@parts.example",
            actor=agent,
        )
    desk.run_due()
    first = desk.sent[-1].message
    desk.receive_email("Yes.", sender="supplier@parts.example", in_reply_to=first.external_id)
    desk.run_due()
    with database.transaction():
        commands.write(queries.get(ticket.id, side_id), Words("Send it."), actor=agent)
    desk.run_due()

    written = [one["body"].strip() for one in desk.messages(ticket) if one["kind"] == "note"]
    assert [body.splitlines()[0] for body in written] == ["Do you have it?", "Yes.", "Send it."]
    assert [sent.address for sent in desk.sent].count("ida@firma.example") == 1
    assert desk.sent[-1].message.references[0] == first.external_id
    assert len(desk.tickets()) == 1
    assert desk.ticket().first_response_at is None
