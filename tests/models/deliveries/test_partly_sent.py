"""A message of several parts of which only the first arrived."""

from __future__ import annotations

from models.ports.outbound import SendOutcome
from tests.desk import Desk


def test_a_partly_sent_message_is_not_repeated_by_itself_but_shown_to_people(desk: Desk) -> None:
    desk.receive_telegram("Help!", chat=42)
    desk.run_due()
    desk.calls.clear()
    ticket = desk.ticket()

    desk.answers.append(SendOutcome("unknown", "part 2 of 3 failed: timed out", external_id="42:7"))
    desk.reply(ticket, "A very long answer.")
    desk.run_due()
    desk.advance(hours=1)
    desk.run_due()

    delivery = desk.deliveries(ticket)[-1]
    assert len(desk.calls) == 1
    assert (delivery["state"], delivery["last_error"]) == ("unknown", "part 2 of 3 failed: timed out")
    assert desk.events(ticket, "delivery_failed")
