"""Every provider passes by having a folder: its recordings, played against the real webhook function, on both
databases.
"""

from __future__ import annotations

from typing import Any

import pytest

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.inbox import commands as inbox
from models.kernel import settings
from models.kernel.storage import database
from models.ports.inbound import InboundMessage, Receipts
from queues.channels.email import account as declared
from queues.channels.email import fetch, providers
from queues.channels.email.parse import parse
from tests.desk import Desk
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.conftest import Post
from tests.queues.channels.email.providers.outbound import CARRIERS, carrier
from tests.queues.channels.email.providers.recorded import NAMES, WRONG, Fixture, Request, manners

RECEIPTS = ("delivered", "bounced", "complained", "deferred")


def stored(desk: Desk) -> list[dict[str, Any]]:
    return desk.rows("SELECT * FROM inbox ORDER BY received_at, id")


def each(*kinds: str, signing: bool = False) -> pytest.MarkDecorator:
    found = [one for one in recorded.fixtures(*kinds) if manners(one.provider).SIGNS or not signing]
    assert {one.provider for one in found}, f"there are recordings of {kinds}"
    return pytest.mark.parametrize("fixture", found, ids=str)


@pytest.mark.parametrize("provider", NAMES)
def test_a_provider_has_all_recordings_and_says_what_it_needs(provider: str) -> None:
    kinds = {
        one.kind
        for one in recorded.fixtures("inbound", "attachment", "malformed", "unknown", *RECEIPTS)
        if one.provider == provider
    }
    wanted = {"inbound", "attachment", "malformed"} | ({*RECEIPTS, "unknown"} if provider in CARRIERS else set())

    assert wanted <= kinds
    assert (recorded.FOLDERS / provider / "README.md").is_file()
    keys = set(declared.Account.__struct_fields__)
    described = providers.declared(provider)
    for alternatives in (*described.inbound_needs, *described.outbound_needs):
        assert set(alternatives) <= keys


@each("inbound")
def test_a_mail_is_one_event_and_one_message_of_who_wrote_it(post: Post, desk: Desk, fixture: Fixture) -> None:
    result = post(fixture)
    desk.run_due()

    assert result.status_code == 200, result.text
    assert result.json["repeat"] is False
    [event] = stored(desk)
    assert (event["status"], event["reason"]) == ("processed", None)
    ticket = desk.ticket()
    assert (ticket.title, ticket.contact_address) == (recorded.SUBJECT, recorded.WHO)
    assert desk.bodies(ticket) == [recorded.TEXT]


@each("inbound", "attachment", "unknown", *RECEIPTS)
def test_a_repeat_is_the_same_event_and_changes_nothing(post: Post, desk: Desk, fixture: Fixture) -> None:
    first = post(fixture).json
    again = post(fixture).json
    later = post(fixture, age_s=-60).json  # signed anew, as some providers do when they come again

    assert again == later == first | {"repeat": True}
    assert len(stored(desk)) == 1
    assert len(desk.tasks(kind="ingest_event")) <= 1


@each("inbound", "unknown")
def test_a_wrong_secret_is_refused_with_the_same_words_as_none(post: Post, desk: Desk, fixture: Fixture) -> None:
    def bare(request: Request) -> Request:
        return Request(request.body, request.content_type)

    wrong = [post(fixture, secret=WRONG), post(fixture, secret=WRONG, change=bare), post(fixture, secret="")]

    assert {result.status_code for result in wrong} == {401}
    assert len({result.json["detail"] for result in wrong}) == 1
    assert stored(desk) == []


@each("inbound", signing=True)
def test_a_caught_request_is_too_old_later_and_none_comes_from_the_future(
    post: Post, desk: Desk, fixture: Fixture
) -> None:
    old, early = post(fixture, age_s=4 * 24 * 3600), post(fixture, age_s=-3600)

    assert (old.status_code, early.status_code) == (401, 401)
    assert stored(desk) == []


@each("malformed")
def test_a_malformed_body_is_kept_as_failed_and_answered_well(post: Post, desk: Desk, fixture: Fixture) -> None:
    result = post(fixture)
    desk.run_due()

    assert result.status_code == 200, result.text
    [event] = stored(desk)
    assert event["status"] == "failed"
    assert event["reason"]
    assert desk.tickets() == []
    assert desk.tasks("ready", "leased", "dead") == []


@each("unknown")
def test_an_unknown_event_is_kept_and_ignored(post: Post, desk: Desk, fixture: Fixture) -> None:
    result = post(fixture)
    desk.run_due()

    assert result.status_code == 200, result.text
    [event] = stored(desk)
    assert event["status"] == "ignored"
    assert event["reason"]


def read_event(desk: Desk, event: dict[str, Any]) -> tuple[Any, ChannelAccount]:
    """What the worker makes of the stored event: fetched, then parsed."""
    with database.connection():
        raw = inbox.load(event["id"])
        account = accounts.find("email", event["account"])
    found = fetch.fetch(raw.raw, raw.envelope, account, settings.current())
    assert found is None or isinstance(found, bytes)
    return parse(raw.raw if found is None else found, raw.envelope, account), account


@each("attachment")
def test_files_come_with_their_names_bytes_and_content_ids(post: Post, desk: Desk, fixture: Fixture) -> None:
    post(fixture)

    message, _ = read_event(desk, stored(desk)[0])

    assert isinstance(message, InboundMessage)
    assert message.external_id == recorded.ATTACHMENT_ID
    assert (message.author_name, message.author_address) == (recorded.WHO_NAME, recorded.WHO)
    files = {one.filename: one for one in message.attachments}
    assert set(files) == {"logo.png", "plan.txt"}
    assert (files["plan.txt"].size_bytes, files["plan.txt"].inline) == (10, False)
    assert (files["logo.png"].content_id, files["logo.png"].inline) == ("logo@example.test", True)
    assert files["logo.png"].size_bytes == 70


@each(*RECEIPTS)
def test_a_receipt_says_what_became_of_which_mail(post: Post, desk: Desk, fixture: Fixture) -> None:
    post(fixture)

    receipts, _ = read_event(desk, stored(desk)[0])

    assert isinstance(receipts, Receipts)
    [receipt] = receipts.items
    assert receipt.kind == fixture.kind
    assert receipt.reference == carrier(fixture.provider).REFERENCE
    assert receipt.recipient == recorded.WHO
    assert receipt.permanent is (fixture.kind == "bounced")
    if fixture.kind == "bounced":
        assert "550" in receipt.detail or "no such mailbox" in receipt.detail
