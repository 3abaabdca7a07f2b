"""What an acceptance tester missed as a stranger; each stays mended."""

from __future__ import annotations

import pytest

from models.inbox import commands as inbox
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import Caller


def test_a_head_request_is_a_get_without_its_body(machine: Caller) -> None:
    for path in ("/healthz", "/docs", "/v1/tickets"):
        result = machine.ask("HEAD", path)

        assert (result.status_code, result.content) == (200, b"")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"title": "  "}, "/title: expected one line of text that is not blank and has no control characters"),
        (
            {"title": "x", "type": "Big Type"},
            "/type: expected a word of lower-case letters, digits, - and _, beginning with a letter",
        ),
        (
            {"title": "x", "requester": {"email": "ada"}},
            "/requester/email: expected an e-mail address such as ada@example.test",
        ),
    ],
)
def test_a_wrong_text_is_explained_in_words_and_not_by_a_pattern(
    machine: Caller, body: dict[str, object], said: str
) -> None:
    result = machine.post("/v1/tickets", body)

    assert (result.status_code, result.json["detail"]) == (422, said)


def test_a_failed_event_can_be_put_away_and_still_be_replayed(desk: Desk, machine: Caller) -> None:
    event_id = desk.receive_raw("telegram", b"not json", content_type="application/json")
    path = f"/v1/inbox/{event_id}"

    put_away = machine.post(f"{path}/discard")
    again = machine.post(f"{path}/discard")
    replayed = machine.post(f"{path}/replay")

    assert (put_away.status_code, put_away.json["status"]) == (200, "ignored")
    assert put_away.json["reason"] == "put away by demo"
    assert (again.status_code, replayed.status_code) == (409, 202)
    with database.connection():
        assert inbox.load(event_id).status == "stored"


def test_a_ticket_is_not_given_to_somebody_who_may_not_work_on_it(desk: Desk, machine: Caller) -> None:
    ticket = machine.ticket()
    people = {user["role"]: user["id"] for user in machine.read("/v1/users")["items"]}

    refused = machine.ask("PUT", f"/v1/tickets/{ticket['id']}/assignment", {"assignee_id": people["accountant"]})
    taken = machine.ask("PUT", f"/v1/tickets/{ticket['id']}/assignment", {"assignee_id": people["agent"]})

    assert (refused.status_code, taken.status_code) == (422, 200)
    assert refused.json["errors"][0]["path"] == "/assignee_id"


def test_an_edited_message_shows_what_it_said_before(desk: Desk, machine: Caller) -> None:
    desk.receive_telegram("Prnter!", chat=42, message_id=5)
    desk.run_due()
    desk.receive_telegram("Printer!", chat=42, message_id=5, edit=True)
    desk.run_due()

    ticket = desk.ticket()
    first = machine.read(f"/v1/tickets/{ticket.id}/messages")["items"][0]

    assert first["body"] == "Printer!"
    assert [version["body"] for version in first["versions"]] == ["Prnter!"]
