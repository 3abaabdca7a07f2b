"""What an account's file must say for its providers, whose webhook an address is, and requests that hold several
events.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import Invalid, NotFound
from models.kernel.limits import MIB
from models.ports.inbound import IngressRequest, Unparseable
from queues.channels.email import ingress
from queues.channels.email.providers import limits
from queues.channels.email.providers.resend import fetch
from scripts.defs.accounts import check_account
from tests.desk import Desk
from tests.queues.channels import golden
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.conftest import Post
from tests.queues.channels.email.providers.fake_api import Answer, FakeApi
from tests.queues.channels.email.providers.outbound import CARRIERS, carrier
from tests.queues.channels.email.providers.recorded import NAMES, RIGHT, Request, manners

SECRET = {"secret": "a_secret"}
BARE = {
    "channel": "email",
    "account": "desk",
    "address": "desk@example.test",
    "smtp_url": SECRET,
    "bearer": SECRET,
}


def problems(**keys: Any) -> list[tuple[str, str]]:
    try:
        check_account(BARE | keys)
    except Invalid as error:
        return [(one.path, one.message) for one in error.problems]
    return []


@pytest.mark.parametrize("provider", NAMES)
def test_an_account_as_its_provider_needs_it_is_published(provider: str) -> None:
    check_account(recorded.config(provider))
    if provider in CARRIERS:
        sending = recorded.config(provider) | carrier(provider).OUTBOUND | {"outbound": provider}
        check_account({key: value for key, value in sending.items() if key != "smtp_url"})


@pytest.mark.parametrize(
    ("keys", "missing"),
    [
        ({"provider": "mailgun", "bearer": None}, [".signing_key"]),
        ({"provider": "cloudflare", "bearer": None}, [".signing_key"]),
        ({"provider": "resend", "bearer": None}, [".signing_key", ".api_key"]),
        ({"provider": "ses"}, [".topic_arns"]),
        ({"provider": "ses", "topic_arns": ["x"], "bucket": "mails"}, [".api_key", ".region"]),
        ({"provider": "brevo"}, [".api_key"]),
        ({"provider": "postmark", "bearer": None}, [".basic"]),
        ({"provider": "mailjet", "bearer": None}, [".basic"]),
        ({"provider": "raw", "bearer": None}, [".bearer"]),
        ({"provider": "sendgrid", "bearer": None}, [".signing_key"]),
        ({"provider": "imap", "bearer": None}, [".imap_url"]),
        ({"outbound": "mailgun", "smtp_url": None}, [".api_key", ".domain"]),
        ({"outbound": "ses", "api_key": SECRET, "smtp_url": None}, [".region"]),
        ({"outbound": "postmark", "smtp_url": None}, [".api_key"]),
        ({"smtp_url": None}, [".smtp_url"]),
        ({"provider": "sendgrid", "outbound": "sendgrid", "api_key": SECRET, "smtp_url": None}, []),
    ],
)
def test_a_key_that_a_provider_needs_is_missed_at_publishing_by_its_name(
    keys: dict[str, Any], missing: list[str]
) -> None:
    found = problems(**keys)

    assert [path for path, _ in found] == missing
    assert all("needs" in message for _, message in found)


ALL = {
    "basic": SECRET,
    "bearer": SECRET,
    "signing_key": SECRET,
    "api_key": SECRET,
    "topic_arns": ["arn:aws:sns:eu-west-1:1:mail"],
    "bucket": "mails",
    "imap_url": SECRET,
    "imap_folder": "Desk",
    "imap_idle": False,
    "imap_junk": "skip",
    "imap_ca_file": "/ca.pem",
    "oauth": {"service": "google", "client_id": "an-id"},
    "replay_window_s": 600,
    "trust_provider_headers": True,
    "smtp_url": SECRET,
    "smtp_ca_file": "/ca.pem",
    "region": "eu",
    "domain": "mg.example.test",
    "dkim": {"selector": "a", "domain": "example.test", "key": SECRET},
    "null_sender_for_automatic": True,
    "api_url": "https://api.example.test",
    "path_id": SECRET,
}
RAW = {"basic", "bearer", "signing_key", "path_id"}
SMTP = {"smtp_url", "smtp_ca_file", "oauth", "dkim", "null_sender_for_automatic"}
IMAP = {"imap_url", "imap_folder", "imap_idle", "imap_junk", "imap_ca_file", "oauth"}


@pytest.mark.parametrize(
    ("provider", "outbound", "used"),
    [
        ("raw", "smtp", RAW | SMTP),
        ("cloudflare", "smtp", {"signing_key", "path_id"} | SMTP),
        ("mailgun", "smtp", {"signing_key", "path_id", "replay_window_s", "trust_provider_headers"} | SMTP),
        ("sendgrid", "smtp", RAW | SMTP),
        ("postmark", "smtp", {"basic", "bearer", "path_id", "trust_provider_headers"} | SMTP),
        (
            "ses",
            "smtp",
            {"topic_arns", "basic", "bearer", "path_id", "bucket", "api_key", "region", "api_url"} | SMTP,
        ),
        ("mailjet", "smtp", {"basic", "bearer", "path_id"} | SMTP),
        ("brevo", "smtp", {"basic", "bearer", "path_id", "api_key", "api_url"} | SMTP),
        ("resend", "smtp", {"signing_key", "api_key", "api_url", "path_id"} | SMTP),
        ("imap", "smtp", IMAP | SMTP),
        ("imap", "resend", IMAP | {"signing_key", "api_key", "api_url", "path_id"}),
        (
            "raw",
            "mailgun",
            RAW | {"api_key", "domain", "region", "api_url", "replay_window_s"},
        ),
        ("raw", "postmark", RAW | {"api_key", "api_url"}),
        ("raw", "sendgrid", RAW | {"api_key", "region", "api_url"}),
        ("raw", "ses", RAW | {"api_key", "region", "api_url", "topic_arns"}),
    ],
)
def test_a_key_that_no_provider_of_the_account_reads_is_refused_by_its_name(
    provider: str, outbound: str, used: set[str]
) -> None:
    found = problems(**{**ALL, "provider": provider, "outbound": outbound})

    refused = {path.removeprefix(".") for path, message in found if "is not used by an account" in message}
    assert refused == set(ALL) - used


def test_the_keys_of_a_bucket_are_refused_without_a_bucket() -> None:
    found = problems(provider="ses", topic_arns=["x"], api_key=SECRET, region="eu-west-1", api_url="https://x.test")

    assert [path for path, _ in found] == [".api_key", ".region", ".api_url"]


def test_the_relay_of_a_probe_is_used_beside_an_outbound_api() -> None:
    assert problems(outbound="resend", api_key=SECRET, authserv_ids=["mx.example.test"]) == []


def test_an_unknown_provider_and_one_that_only_receives_are_told() -> None:
    assert problems(provider="pigeon")[0][0] == ".provider"
    assert problems(outbound="brevo")[0][0] == ".outbound"
    assert problems(provider="mailgun", signing_key="the key itself")[0] == (
        ".signing_key",
        "expected {secret: name}: credentials are named, never contained",
    )


def account(**config: Any) -> ChannelAccount:
    return ChannelAccount("email", "desk", 1, BARE | config)


def test_the_address_selects_the_provider_of_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in manners("mailgun").secrets().items():
        monkeypatch.setenv(f"NESTOR_SECRET_{name.upper()}", value)
    both = account(provider="postmark", outbound="mailgun", signing_key={"secret": "mailgun_key"})
    told = manners("mailgun").signed(
        recorded.one("mailgun/delivered.json").request, secret=RIGHT, at_s=int(clock.now().timestamp())
    )
    request = IngressRequest({}, told.body, told.content_type, {"provider": "mailgun"})

    assert ingress.authenticate({}, request.query, both, golden.settings()) is False
    ingress.verify(request, both, golden.settings())
    [event] = ingress.receive(request, both).events
    assert event.key.envelope["provider"] == "mailgun"


@pytest.mark.parametrize("asked", ["sendgrid", "", "__init__", "../raw", "raw"])
def test_a_provider_that_the_account_does_not_name_is_not_there(asked: str) -> None:
    with pytest.raises(NotFound):
        ingress.authenticate({}, {"provider": asked}, account(provider="postmark"), golden.settings())


def test_a_provider_that_only_sends_takes_no_events_without_a_key_to_prove_them() -> None:
    only_sends = account(provider="raw", outbound="mailgun", api_key=SECRET, domain="mg.example.test")

    with pytest.raises(NotFound):
        ingress.authenticate({}, {"provider": "mailgun"}, only_sends, golden.settings())


def test_a_mailbox_that_is_asked_by_imap_takes_no_mail_at_its_address() -> None:
    with pytest.raises(NotFound):
        ingress.authenticate({}, {}, account(provider="imap"), golden.settings())


def test_each_mail_of_a_brevo_request_is_an_event_and_a_ticket_of_its_own(desk: Desk, post: Post) -> None:
    def two(request: Request) -> Request:
        [item] = json.loads(request.body)["items"]
        other = item | {"Uuid": ["another"], "RawTextBody": "The lift is stuck."}
        other["Headers"] = item["Headers"] | {"Message-ID": "<lift-1@example.test>"}
        return replace(request, body=json.dumps({"items": [item, other, "odd", item]}).encode())

    result = post(recorded.one("brevo/inbound.json"), alter=two)
    desk.run_due()

    assert len(set(result.json["event_ids"])) == 2
    assert len(desk.tickets()) == 2
    assert [row["status"] for row in desk.rows("SELECT status FROM inbox")] == ["processed"] * 2


def test_each_event_of_a_sendgrid_batch_is_one_and_an_empty_batch_is_none(desk: Desk, post: Post) -> None:
    def batch(request: Request) -> Request:
        [event] = json.loads(request.body)
        events = [event, event | {"sg_event_id": "2", "event": "open"}, event | {"sg_event_id": None}, event]
        return replace(request, body=json.dumps(events).encode())

    fixture = recorded.one("sendgrid/delivered.json")
    result = post(fixture, alter=batch)
    nothing = post(fixture, alter=lambda request: replace(request, body=b"[]"))

    assert len(set(result.json["event_ids"])) == 3
    assert (nothing.status_code, nothing.json["event_id"]) == (200, None)
    assert len(desk.rows("SELECT 1 FROM inbox")) == 3


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_a_form_of_20_mb_goes_all_the_way(desk: Desk, post: Post) -> None:
    file = random.Random(7).randbytes(20 * MIB)

    def large(request: Request) -> Request:
        assert recorded.PLAN in request.body
        return replace(request, body=request.body.replace(recorded.PLAN, file))

    result = post(recorded.one("sendgrid/attachment.http"), alter=large)
    desk.run_due()

    assert result.status_code == 200
    [event] = desk.rows("SELECT status, reason FROM inbox")
    assert (event["status"], event["reason"]) == ("processed", None)
    [message] = desk.messages(desk.ticket())[:1]
    assert {one["filename"]: one["size_bytes"] for one in message["attachments"]} == {
        "logo.png": 70,
        "plan.txt": 20 * MIB,
    }


def test_events_beyond_the_bound_are_kept_and_shown(desk: Desk, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def five(request: Request) -> Request:
        [event] = json.loads(request.body)
        return replace(request, body=json.dumps([event | {"sg_event_id": str(n)} for n in range(5)]).encode())

    monkeypatch.setattr(limits, "events_max", 3)
    post(recorded.one("sendgrid/delivered.json"), alter=five)

    rows = desk.rows("SELECT status, reason, raw FROM inbox ORDER BY status")
    assert [row["status"] for row in rows] == ["failed", "stored", "stored", "stored"]
    assert "more than 3 events" in rows[0]["reason"]
    assert [one["sg_event_id"] for one in json.loads(bytes(rows[0]["raw"]))] == ["3", "4"]


def test_a_file_that_brevo_has_no_more_is_reported_in_its_place(desk: Desk, post: Post, api: FakeApi) -> None:
    post(recorded.one("brevo/attachment.json"))
    api.at["/v3/inbound/attachments/token-plan"] = Answer(404)
    desk.run_due()

    [event] = desk.rows("SELECT status, fetched FROM inbox")
    assert event["status"] == "processed"
    assert b"plan.txt.missing.txt" in bytes(event["fetched"])


@pytest.mark.parametrize("provider", ["brevo", "resend"])
@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_provider_that_gives_nothing_now_is_asked_again(
    desk: Desk, post: Post, api: FakeApi, provider: str, status: int
) -> None:
    post(recorded.one(f"{provider}/attachment.json"))
    for path in list(api.at):
        api.at[path] = Answer(status)
    desk.run_due()

    [event] = desk.rows("SELECT status FROM inbox")
    assert event["status"] == "stored"
    assert len(desk.tasks("ready", kind="ingest_event")) == 1


def test_a_mail_that_resend_has_no_more_ends_as_failed(desk: Desk, post: Post, api: FakeApi) -> None:
    post(recorded.one("resend/inbound.json"))
    api.at["/download/mail"] = Answer(404)
    desk.run_due()

    [event] = desk.rows("SELECT status, reason FROM inbox")
    assert event["status"] == "failed"
    assert "cannot be had from Resend" in event["reason"]


def test_resends_download_is_never_in_a_private_network(api: FakeApi) -> None:
    """Whoever could write the API's answer must not read our own network through us."""
    assert api.url.startswith("http://127.0.0.1")
    for url in (f"{api.url}/x", "http://169.254.169.254/latest", "file:///etc/passwd"):
        with pytest.raises(Unparseable):
            fetch._download(url, account())
    assert api.calls == []
