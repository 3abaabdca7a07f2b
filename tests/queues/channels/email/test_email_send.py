"""Each way in which handing a mail to the relay ends, against a real SMTP server."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import hashlib
import re
import socket
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.channels.accounts import ChannelAccount
from models.kernel import limits, settings
from models.kernel.errors import NotFound, TransientFailure
from models.ports.inbound import InboundMessage
from models.ports.outbound import OutgoingAttachment, SendOutcome
from models.tasks.rates import Bucket
from queues.channels.email.judging.automatic import desk_id
from queues.channels.email.parse import parse
from queues.channels.email.send import buckets, external_id, send
from queues.channels.email.writing.build import build
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels import golden
from tests.queues.channels.email.messages import MESSAGE, file


def account(**changes: Any) -> ChannelAccount:
    return dataclasses.replace(golden.EMAIL, config={**golden.EMAIL.config, **changes})


def deliver(**changes: Any) -> SendOutcome:
    return send(dataclasses.replace(MESSAGE, **changes), golden.EMAIL, golden.settings())


def test_a_mail_arrives_readable_and_threaded(sandbox: SandboxProcess) -> None:
    outcome = deliver()

    (entry,) = sandbox.outbox("email")
    assert outcome == SendOutcome("accepted", external_id=MESSAGE.external_id)
    assert (entry["envelope_from"], entry["envelope_to"]) == ("desk@example.test", ["ada@example.test"])
    assert entry["subject"] == "Re: Принтер горит [#7]"
    assert entry["from"] == "Nestor demo desk <desk@example.test>"
    assert entry["to"] == "Ada Lovelace <ada@example.test>"
    assert entry["text"].replace("\r\n", "\n") == MESSAGE.body
    assert entry["message_id"] == MESSAGE.external_id
    assert entry["in_reply_to"] == "<plain_text.1@example.test>"
    assert entry["headers"]["Reply-To"] == "desk@example.test"
    assert not {"Auto-Submitted", "Precedence"} & set(entry["headers"])


def test_an_automatic_mail_says_so_in_every_way(sandbox: SandboxProcess) -> None:
    message = dataclasses.replace(MESSAGE, automatic=True)

    send(message, golden.EMAIL, golden.settings())
    send(message, account(null_sender_for_automatic=True), golden.settings())

    first, second = sandbox.outbox("email")
    assert first["headers"]["Auto-Submitted"] == "auto-replied"
    assert first["headers"]["X-Auto-Response-Suppress"] == "All"
    assert first["headers"]["Precedence"] == "bulk"
    assert (first["envelope_from"], second["envelope_from"]) == ("desk@example.test", "<>")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "reject", "stage": "mail", "code": 451}, "transient"),
        ({"kind": "reject", "stage": "mail", "code": 550}, "account"),
        ({"kind": "reject", "stage": "mail", "code": 552}, "permanent"),
        ({"kind": "reject", "stage": "mail", "code": 530}, "account"),
        ({"kind": "reject", "stage": "rcpt", "code": 450}, "transient"),
        ({"kind": "reject", "stage": "rcpt", "code": 550}, "permanent"),
        ({"kind": "reject", "stage": "data", "code": 451}, "transient"),
        ({"kind": "reject", "stage": "data", "code": 554}, "permanent"),
        ({"kind": "drop_before", "stage": "mail"}, "transient"),
        ({"kind": "drop_before", "stage": "rcpt"}, "transient"),
        ({"kind": "drop_before", "stage": "data"}, "unknown"),
        ({"kind": "drop_after", "stage": "data"}, "unknown"),
    ],
    ids=str,
)
def test_each_failure_has_its_documented_outcome(sandbox: SandboxProcess, fault: dict[str, Any], kind: str) -> None:
    """A refusal of the account (`account`) is transient, and the account shows it: the mail waits for the operator."""
    sandbox.fail_mail(text="no such user <ada@example.test>", **fault)

    outcome = deliver()

    assert outcome.kind == ("transient" if kind == "account" else kind)
    assert outcome.detail
    assert outcome.account_error == (outcome.detail if kind == "account" else None)
    assert outcome.suppress is None
    assert "@example" not in outcome.detail


def test_an_address_that_does_not_exist_is_not_written_to_again(sandbox: SandboxProcess) -> None:
    sandbox.fail_mail("reject", stage="rcpt", code=550, text="5.1.1 no such user")

    outcome = deliver()

    assert (outcome.kind, outcome.suppress) == ("permanent", "the address does not exist")


def test_a_confirmation_that_does_not_come_in_time_leaves_the_outcome_open(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "send_read_timeout_s", 0.2)
    sandbox.fail_mail("delay", stage="data", delay_s=1.0)

    assert deliver().kind == "unknown"


def test_a_server_that_is_away_is_certainly_not_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", f"smtp://127.0.0.1:{port}")

    outcome = deliver()

    assert (outcome.kind, outcome.detail) == ("transient", "connecting failed (ConnectionRefusedError)")


def test_a_refused_login_is_transient_because_it_can_be_corrected(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", f"smtp://us%40er:pass@127.0.0.1:{sandbox.smtp_port}")

    assert deliver().kind == "accepted"
    sandbox.fail_mail("reject", stage="auth", code=535, times=3)
    refused = deliver()

    (entry,) = sandbox.outbox("email")
    assert entry["auth_user"] == "us@er"
    assert refused.kind == "transient"
    assert refused.detail.startswith("the login: 535")


@pytest.mark.parametrize("url", ["", "127.0.0.1:25", "http://127.0.0.1", "smtp://127.0.0.1:port"])
def test_a_wrong_smtp_url_is_said_without_repeating_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", url)

    outcome = deliver()

    text = "smtp_url: expected smtp://host:port or smtps://host:port"
    assert outcome == SendOutcome("transient", f"channel account demo: {text}", account_error=text)


@pytest.mark.parametrize(
    "address", ["", "ada", "@x.test", "ada@", "a b@x.test", "ada@x.test\r\nBcc: eve@x.test", "<ada@x.test>"]
)
def test_what_is_no_address_is_permanent_at_once(sandbox: SandboxProcess, address: str) -> None:
    assert deliver(address=address).kind == "permanent"
    assert sandbox.outbox("email") == []


def test_letters_beyond_ascii_work_in_every_place(sandbox: SandboxProcess) -> None:
    outcome = deliver(address="адa@пример.test", recipient_name='Ада "Л", Ю')

    (entry,) = sandbox.outbox("email")
    assert outcome.kind == "accepted"
    assert entry["envelope_to"] == ["адa@xn--e1afmkfd.test"]


def test_values_with_line_ends_add_no_header(sandbox: SandboxProcess) -> None:
    deliver(
        recipient_name="Ada\r\nBcc: eve@x.test",
        subject="x\nBcc: eve@x.test",
        in_reply_to="<a@x>\r\nBcc: eve@x.test",
        references=("<a@x>\r\nBcc: <eve@x>",),
    )

    (entry,) = sandbox.outbox("email")
    assert "Bcc" not in entry["headers"]
    assert entry["envelope_to"] == ["ada@example.test"]


def test_a_long_thread_keeps_its_first_id_and_the_last_nine_unbroken(sandbox: SandboxProcess) -> None:
    ids = tuple(f"<{number}.{'x' * 150}@example.test>" for number in range(30))

    deliver(references=ids, in_reply_to=ids[-1], external_id=f"<{'y' * 200}@example.test>")

    (entry,) = sandbox.outbox("email")
    assert entry["references"] == [ids[0], *ids[-9:]]
    assert entry["message_id"] == f"<{'y' * 200}@example.test>"


def test_the_parser_knows_our_own_mail_and_threads_an_answer_to_it() -> None:
    mail = build(MESSAGE, golden.EMAIL)

    by_list = mail.replace(b"From: Nestor demo desk <desk@", b"List-Id: <all.lists.test>\r\nFrom: X <other@")
    parsed, by_list_parsed = parse(mail, {}, golden.EMAIL), parse(by_list, {}, golden.EMAIL)

    assert parsed.automatic == by_list_parsed.automatic == "own"  # type: ignore[union-attr]
    assert parsed.external_id == MESSAGE.external_id  # type: ignore[union-attr]


def test_the_desks_mark_is_keyed_and_of_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    from_other = build(MESSAGE, golden.EMAIL).replace(b"From: Nestor demo desk <desk@", b"From: X <other@")
    sales = account(address="sales@example.test")
    without_mark = re.sub(rb"X-Nestor-Desk: \w+", b"X-Nestor-Desk: ", from_other)

    kinds = [
        parsed.automatic
        for parsed in (parse(from_other, {}, sales), parse(without_mark, {}, golden.EMAIL))
        if isinstance(parsed, InboundMessage)
    ]
    mark = desk_id("Desk@Example.test")
    monkeypatch.setenv("SECRET_KEY", "quite another key, of forty-six characters, too")
    settings.current.cache_clear()
    mark_of_another_key = desk_id("desk@example.test")
    monkeypatch.undo()
    settings.current.cache_clear()

    assert kinds == [None, None]
    assert f"X-Nestor-Desk: {mark}".encode() in from_other
    assert mark_of_another_key != mark


def test_a_message_id_names_ticket_and_message_and_cannot_be_guessed() -> None:
    first, second = (external_id(golden.EMAIL, "0192-ab", 7) for _ in range(2))

    assert first != second
    assert re.fullmatch(r"<nestor\.7\.0192ab\.[0-9a-f]{16}@example\.test>", first or "")


def test_a_relay_s_limit_is_the_account_s_to_name() -> None:
    assert buckets(golden.EMAIL, "ada@example.test") == []
    assert buckets(account(rate_per_s=5), "ada@example.test") == [Bucket("email:demo", 0.2, 5)]


@given(name=st.text(max_size=60), subject=st.text(max_size=300), body=st.text(max_size=300))
def test_any_text_makes_a_mail_with_our_headers_only(name: str, subject: str, body: str) -> None:
    mail = build(dataclasses.replace(MESSAGE, recipient_name=name, subject=subject, body=body), golden.EMAIL)

    read = email.message_from_bytes(mail, policy=email.policy.compat32)
    assert sorted(read.keys()) == sorted(
        [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "In-Reply-To",
            "References",
            "Reply-To",
            "X-Nestor-Desk",
            "x-ms-reactions",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding",
        ]
    )
    assert max(len(line) for line in mail.split(b"\r\n")) < 998


def test_the_catcher_shows_all_of_a_mail_bodies_files_pictures_and_readers(sandbox: SandboxProcess) -> None:
    picture, report = b"\x89PNG" * 100, b"%PDF" * 1000

    outcome = deliver(
        body="**Done**: ![chart](cid:chart@desk)",
        body_format="markdown",
        copies=(("Bob Stone", "bob@example.test"), ("", "ада@example.test")),
        attachments=(
            file("chart.png", picture, "image/png", cid="chart@desk"),
            file("отчёт.pdf", report, "application/pdf"),
        ),
    )

    (entry,) = sandbox.outbox("email")
    assert outcome.kind == "accepted"
    assert entry["envelope_to"] == ["ada@example.test", "bob@example.test", "ада@example.test"]
    assert entry["cc"] == "Bob Stone <bob@example.test>, ада@example.test"
    assert entry["text"].strip() == "*Done*: chart"
    assert '<strong>Done</strong>: <img src="cid:chart@desk" alt="chart">' in entry["html"]
    assert entry["attachments"] == [
        {
            "filename": "chart.png",
            "content_type": "image/png",
            "size_bytes": len(picture),
            "sha256": hashlib.sha256(picture).hexdigest(),
            "inline": True,
            "content_id": "chart@desk",
        },
        {
            "filename": "отчёт.pdf",
            "content_type": "application/pdf",
            "size_bytes": len(report),
            "sha256": hashlib.sha256(report).hexdigest(),
            "inline": False,
            "content_id": None,
        },
    ]


def test_a_file_that_cannot_be_read_now_is_sent_later_and_one_that_is_gone_never(
    sandbox: SandboxProcess,
) -> None:
    def failing(error: Exception) -> OutgoingAttachment:
        def open_it() -> BinaryIO:
            raise error

        return OutgoingAttachment("a.bin", "application/zip", 3, "", open_it)

    away = deliver(attachments=(failing(TransientFailure("the blob store is away")),))
    broken = deliver(attachments=(failing(OSError("disk")),))
    gone = deliver(attachments=(failing(NotFound("the file is gone")),))

    assert (away.kind, away.detail) == ("transient", "the blob store is away")
    assert (broken.kind, broken.detail) == ("transient", "a file of the message cannot be read (OSError)")
    assert (gone.kind, gone.detail) == ("permanent", "the file is gone")
    assert sandbox.outbox("email") == []
