"""Copies, changes and deletions of what agents write; channel accounts and their health."""

from __future__ import annotations

from typing import Any

import pytest

from models.channels import health
from models.kernel.storage import database
from models.ports.inbound import InboundMessage, Participant
from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem

ANY = {"If-Match": "*"}


def _telegram(desk: Desk, machine: Caller) -> Any:
    desk.receive_telegram("It burns.")
    desk.run_due()
    return machine.read("/v1/tickets")["items"][0]


def _answered(machine: Caller, desk: Desk, ticket: Any, body: str = "Watter it.") -> tuple[Any, str]:
    message = machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": body})
    desk.run_due()
    return message, f"/v1/tickets/{ticket['id']}/messages/{message['id']}"


def test_an_answer_that_was_sent_by_telegram_is_edited_where_it_was_sent(machine: Caller, desk: Desk) -> None:
    message, path = _answered(machine, desk, _telegram(desk, machine))
    sent_id = desk.sent[-1].outcome.external_id  # type: ignore[union-attr]

    changed = machine.ask("PATCH", path, {"body": "Water it."}, headers={"If-Match": '"1"'})
    desk.run_due()

    assert (changed.json["body"], changed.headers["etag"]) == ("Water it.", '"2"')
    call = desk.calls[-1].message
    assert (call.operation, call.body, call.sent_ids) == ("edit", "Water it.", (sent_id,))
    assert machine.read(path)["versions"][0]["body"] == "Watter it."
    assert message["body"] == "Watter it."


def test_an_answer_that_was_sent_by_telegram_is_taken_back_there(machine: Caller, desk: Desk) -> None:
    _, path = _answered(machine, desk, _telegram(desk, machine))

    taken_back = machine.ask("DELETE", path)
    again = machine.ask("DELETE", path)
    desk.run_due()

    assert taken_back.json["deleted_at"] is not None
    assert again.status_code == 200
    assert [call.message.operation for call in desk.calls[-1:]] == ["delete"]


def test_a_mail_that_was_sent_is_not_changed_any_more(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    _, path = _answered(machine, desk, ticket)

    problem(machine.ask("PATCH", path, {"body": "Other"}, headers=ANY), 409, "cannot_correct")
    problem(machine.ask("DELETE", path), 409, "cannot_correct")


def test_an_answer_that_waits_is_changed_before_it_is_sent(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    desk.run_due()
    body = {"kind": "reply", "body": "Watter", "send_at": "2027-01-01T00:00:00Z"}
    message = machine.made(f"/v1/tickets/{ticket['id']}/messages", body)

    machine.ask("PATCH", f"/v1/tickets/{ticket['id']}/messages/{message['id']}", {"body": "Water"}, headers=ANY)
    desk.advance(days=365)
    desk.run_due()

    assert desk.sent_bodies()[-1] == "Water"


def test_what_was_taken_back_before_its_time_is_never_sent(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    desk.run_due()
    calls = len(desk.calls)
    body = {"kind": "reply", "body": "Oops", "send_at": "2027-01-01T00:00:00Z"}
    message = machine.made(f"/v1/tickets/{ticket['id']}/messages", body)

    machine.ask("DELETE", f"/v1/tickets/{ticket['id']}/messages/{message['id']}")
    desk.advance(days=365)
    desk.run_due()

    assert len(desk.calls) == calls
    assert machine.read(f"/v1/deliveries/{message['deliveries'][0]['id']}")["state"] == "discarded"


def test_a_requesters_words_are_not_ours_to_change(machine: Caller, desk: Desk) -> None:
    ticket = _telegram(desk, machine)
    theirs = machine.read(f"/v1/tickets/{ticket['id']}/messages")["items"][0]

    result = machine.ask("PATCH", f"/v1/tickets/{ticket['id']}/messages/{theirs['id']}", {"body": "x"}, headers=ANY)

    problem(result, 409, "cannot_correct")


def test_a_change_of_an_older_version_is_refused(machine: Caller, desk: Desk) -> None:
    _, path = _answered(machine, desk, _telegram(desk, machine))
    machine.ask("PATCH", path, {"body": "Second"}, headers={"If-Match": '"1"'})

    problem(machine.ask("PATCH", path, {"body": "Third"}, headers={"If-Match": '"1"'}), 412)
    problem(machine.ask("PATCH", path, {"body": "Third"}), 428)


def test_an_answer_goes_to_those_who_got_the_requesters_mail_as_well(machine: Caller, desk: Desk) -> None:
    copied = (Participant("Grace", "grace@example.com"),)
    desk.receive(InboundMessage("ada@example.com", "Ada", "ada@example.com", "It burns.", copies=copied))
    desk.run_due()
    ticket = machine.read("/v1/tickets")["items"][0]

    _answered(machine, desk, ticket)
    machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": "For you alone.", "copies": []})
    desk.run_due()

    assert [call.message.copies for call in desk.sent[-2:]] == [(("Grace", "grace@example.com"),), ()]
    people = machine.read(f"/v1/tickets/{ticket['id']}/participants")["items"]
    assert [(one["address"], one["role"]) for one in people] == [("grace@example.com", "copy")]


def test_an_address_that_returned_our_mail_gets_no_copies(machine: Caller, desk: Desk) -> None:
    from models.requesters.commands import suppress

    desk.receive(InboundMessage("grace@example.com", "Grace", "grace@example.com", "Hello."))
    copied = (Participant("Grace", "grace@example.com"), Participant("Ida", "ida@example.com"))
    desk.receive(InboundMessage("ada@example.com", "Ada", "ada@example.com", "It burns.", copies=copied))
    desk.run_due()
    with database.transaction():
        suppress("email", "grace@example.com", "mailbox full")
    ticket = machine.read("/v1/tickets/2")

    _answered(machine, desk, ticket)
    wanted = ["ida@example.com", "Grace@Example.com", "desk@example.test", "desk+r.x@example.test"]
    refused = machine.post(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": "x", "copies": wanted})

    assert desk.sent[-1].message.copies == (("Ida", "ida@example.com"),)
    told = problem(refused, 422)
    assert paths(told) == ["/copies/1", "/copies/2", "/copies/3"]
    assert "mailbox full" in told["errors"][0]["message"]


def test_a_chat_knows_no_copies(machine: Caller, desk: Desk) -> None:
    ticket = _telegram(desk, machine)

    body = {"kind": "reply", "body": "Hello", "copies": ["grace@example.com"]}
    refused = machine.post(f"/v1/tickets/{ticket['id']}/messages", body)

    assert paths(problem(refused, 422)) == ["/copies"]


@pytest.mark.parametrize("wrong", [None, "the bot's token was revoked"])
def test_an_accounts_health_is_told(machine: Caller, desk: Desk, wrong: str | None) -> None:
    desk.receive_telegram("It burns.")
    if wrong:
        with database.transaction():
            health.report_error("telegram", "demo", wrong)

    shown = machine.read("/v1/channels/telegram/demo")

    assert (shown["health"]["ok"], shown["health"]["error"]) == (wrong is None, wrong)
    assert shown["health"]["events_waiting"] == 1
    assert shown["health"]["last_event_at"] is not None
    assert shown["config"]["token"] == {"secret": "telegram_demo_token"}
    assert [one["account"] for one in machine.read("/v1/channels")["items"]].count("demo") >= 2
    problem(machine.get("/v1/channels/telegram/nobody"), 404)


def test_remote_pictures_are_blocked_until_somebody_asks_for_them(machine: Caller, desk: Desk) -> None:
    mail = (
        b"From: Ada <ada@example.com>\r\nMessage-ID: <h@x>\r\nSubject: News\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=utf-8\r\n\r\n"
        b'<p>Hello <b>desk</b><script>alert(1)</script><img src="https://tracker.example/p.gif"></p>\r\n'
    )
    desk.receive_raw("email", mail, content_type="message/rfc822")
    desk.run_due()
    ticket = machine.read("/v1/tickets")["items"][0]
    message = machine.read(f"/v1/tickets/{ticket['id']}/messages")["items"][0]
    path = f"/v1/tickets/{ticket['id']}/messages/{message['id']}/html"

    blocked, shown = machine.read(path), machine.read(f"{path}?remote=true")

    assert "tracker.example" not in blocked["html"]
    assert blocked["blocked_remote"] == 1
    assert "https://tracker.example/p.gif" in shown["html"]
    assert "alert" not in shown["html"]
    assert "tracker.example" not in message["body_html"]


_QUOTING = (
    b"From: Ada <ada@example.com>\r\nMessage-ID: <q@x>\r\nSubject: Re: News\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p>Tuesday is fine.</p><div class=gmail_quote>On Tue, Mar 3, 2026 at 9:12 AM Ida &lt;ida@x.example&gt; wrote:<br>"
    b"<blockquote class=gmail_quote><script>alert(1)</script><p>Which day?</p>"
    b'<img src="https://tracker.example/q.gif"></blockquote></div>\r\n'
)


def test_the_html_of_a_mail_is_given_with_its_quotes_under_the_same_rules(machine: Caller, desk: Desk) -> None:
    desk.receive_raw("email", _QUOTING, content_type="message/rfc822")
    desk.run_due()
    message = machine.read("/v1/tickets/1/messages")["items"][0]
    path = f"/v1/tickets/1/messages/{message['id']}/html"

    shown, whole = machine.read(path), machine.read(f"{path}?whole=true")
    remote = machine.read(f"{path}?whole=true&remote=true")

    assert ("Which day?" in shown["html"], shown["cut"], shown["blocked_remote"]) == (False, True, 0)
    assert ("Which day?" in whole["html"], whole["cut"], whole["blocked_remote"]) == (True, False, 1)
    assert "tracker.example" not in whole["html"]
    assert ("https://tracker.example/q.gif" in remote["html"], remote["blocked_remote"]) == (True, 0)
    assert not any("alert" in one["html"] for one in (shown, whole, remote))


def test_the_whole_html_of_a_mail_without_quotes_is_the_html_that_is_shown(machine: Caller, desk: Desk) -> None:
    mail = _QUOTING.partition(b"<div class")[0]
    desk.receive_raw("email", mail, content_type="message/rfc822")
    desk.run_due()
    message = machine.read("/v1/tickets/1/messages")["items"][0]
    path = f"/v1/tickets/1/messages/{message['id']}/html"

    shown, whole = machine.read(path), machine.read(f"{path}?whole=true")

    assert shown == whole == {"html": "<p>Tuesday is fine.</p>", "blocked_remote": 0, "pictures": {}, "cut": False}


def test_a_scheduled_answer_answers_the_ticket_when_it_leaves(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    desk.run_due()
    body = {"kind": "reply", "body": "Later.", "send_at": "2027-01-01T00:00:00Z"}
    message = machine.made(f"/v1/tickets/{ticket['id']}/messages", body)

    waiting = machine.read(f"/v1/tickets/{ticket['id']}")
    desk.advance(days=365)
    desk.run_due()
    answered = machine.read(f"/v1/tickets/{ticket['id']}")

    assert message["deliveries"][0]["send_at"] == "2027-01-01T00:00:00Z"
    assert (waiting["state"], waiting["first_response_at"]) == ("new", None)
    assert answered["state"] == "waiting_on_requester"
    assert answered["first_response_at"] is not None


def test_a_picture_that_the_text_shows_is_uploaded_with_its_name(machine: Caller, desk: Desk) -> None:
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    desk.run_due()
    picture = machine.ask(
        "POST",
        "/v1/attachments",
        raw=b"\x89PNG\r\n\x1a\n.",
        query_string="filename=p.png&content_id=pic1",
        headers={"Content-Type": "image/png"},
    ).json
    html = {"kind": "reply", "body": '<p>See <img src="cid:pic1"></p>', "body_format": "html"}

    machine.made(f"/v1/tickets/{ticket['id']}/messages", {**html, "attachments": [picture["id"]]})
    desk.run_due()

    sent = desk.sent[-1].message
    assert (sent.body_format, [(a.inline, a.content_id) for a in sent.attachments]) == (
        "html",
        [(True, "pic1")],
    )


def test_a_trouble_that_a_send_found_is_over_when_one_succeeds(machine: Caller, desk: Desk) -> None:
    from dataclasses import replace

    from models.ports import outbound

    ticket = machine.ticket(requester={"email": "ada@example.test"})
    desk.run_due()
    desk.answers.append(replace(outbound.transient("no"), account_error="the login was refused"))
    machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": "Hello"})
    desk.run_due()
    ill = machine.read("/v1/channels/email/demo")["health"]
    desk.advance(minutes=5)
    desk.run_due()

    assert ill["error"] == "sending: the login was refused"
    assert machine.read("/v1/channels/email/demo")["health"]["ok"] is True


def test_the_parts_that_arrived_of_a_message_are_taken_back(machine: Caller, desk: Desk) -> None:
    from models.ports import outbound

    ticket = _telegram(desk, machine)
    desk.answers.append(
        outbound.SendOutcome("unknown", "the third part failed", external_id="42:1", external_ids=("42:1", "42:2"))
    )
    _, path = _answered(machine, desk, ticket, "In three parts.")

    machine.ask("DELETE", path)
    desk.run_due()
    edited = machine.ask("PATCH", path, {"body": "Other"}, headers=ANY)

    call = desk.calls[-1].message
    assert (call.operation, call.sent_ids) == ("delete", ("42:1", "42:2"))
    problem(edited, 409, "cannot_correct")


def test_what_may_not_have_arrived_cannot_be_taken_back(machine: Caller, desk: Desk) -> None:
    from models.ports import outbound

    ticket = _telegram(desk, machine)
    desk.answers.extend([outbound.unknown("no answer")] * 10)
    _, path = _answered(machine, desk, ticket)
    for _ in range(10):
        desk.advance(minutes=30)
        desk.run_due()

    problem(machine.ask("DELETE", path), 409, "cannot_correct")
