"""The standard library's SMTP client against the catcher: taken, refused, and the unknown outcomes."""

import smtplib
from email.message import EmailMessage

import pytest

from scripts.sandbox.client import SandboxProcess


def _mail() -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Desk <desk@example.test>"
    mail["To"] = "Ада <ada@example.test>"
    mail["Subject"] = "Ваша заявка"
    mail["Message-ID"] = "<t1.m2@example.test>"
    mail["In-Reply-To"] = "<q1@example.test>"
    mail["References"] = "<q0@example.test> <q1@example.test>"
    mail.set_content("Здравствуйте\n.\nточка", cte="8bit")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="счёт.pdf")
    return mail


def _client(sandbox: SandboxProcess, timeout_s: float = 5.0) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=timeout_s)


def _sign_in_and_send(client: smtplib.SMTP) -> None:
    client.login("desk", "any")
    client.send_message(_mail())


def test_a_mail_is_taken_and_shown_decoded_with_its_exact_bytes(sandbox: SandboxProcess) -> None:
    mail = _mail()

    with _client(sandbox) as client:
        client.send_message(mail, mail_options=["BODY=8BITMIME"])

    (entry,) = sandbox.outbox("email")
    assert entry["envelope_from"] == "desk@example.test"
    assert entry["envelope_to"] == ["ada@example.test"]
    assert (entry["subject"], entry["to"]) == ("Ваша заявка", "Ада <ada@example.test>")
    assert (entry["message_id"], entry["in_reply_to"]) == ("<t1.m2@example.test>", "<q1@example.test>")
    assert entry["references"] == ["<q0@example.test>", "<q1@example.test>"]
    assert entry["text"].split() == ["Здравствуйте", ".", "точка"]
    assert [part["filename"] for part in entry["attachments"]] == ["счёт.pdf"]
    assert "Здравствуйте".encode() in entry["raw"].encode("latin-1")


def test_the_server_offers_what_a_relay_offers(sandbox: SandboxProcess) -> None:
    with _client(sandbox) as client:
        client.ehlo()

        assert {"8bitmime", "smtputf8", "size", "auth"} <= set(client.esmtp_features)
        assert int(client.esmtp_features["size"]) > 1_000_000


def test_an_address_outside_ascii_is_taken(sandbox: SandboxProcess) -> None:
    with _client(sandbox) as client:
        client.sendmail(
            "desk@example.test", ["ада@example.test"], b"Subject: x\r\n\r\nx", ["SMTPUTF8", "BODY=8BITMIME"]
        )

    assert sandbox.outbox()[0]["envelope_to"] == ["ада@example.test"]


@pytest.mark.parametrize(
    "content",
    [b"", b"no header at all", b"\xff\xfe: x\r\n\r\n\x00", b"Content-Type: multipart/mixed\r\n\r\nx"],
)
def test_a_mail_that_cannot_be_parsed_is_kept_all_the_same(sandbox: SandboxProcess, content: bytes) -> None:
    with _client(sandbox) as client:
        client.sendmail("a@example.test", ["b@example.test"], content)

    assert sandbox.outbox()[0]["raw"].encode("latin-1").rstrip() == content.rstrip()


@pytest.mark.parametrize("code", [450, 550])
def test_one_recipient_is_refused_and_the_others_get_the_mail(sandbox: SandboxProcess, code: int) -> None:
    sandbox.fail_mail("reject", stage="rcpt", recipient="gone@example.test", code=code, text="5.1.1 no such user")

    with _client(sandbox) as client:
        refused = client.send_message(_mail(), to_addrs=["gone@example.test", "ada@example.test"])

    assert refused == {"gone@example.test": (code, b"5.1.1 no such user")}
    assert sandbox.outbox()[0]["envelope_to"] == ["ada@example.test"]


def test_data_is_refused_for_now_and_the_next_try_passes(sandbox: SandboxProcess) -> None:
    sandbox.fail_mail("reject", code=451)

    with _client(sandbox) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(_mail())
        client.send_message(_mail())

    assert refused.value.smtp_code == 451
    assert len(sandbox.outbox()) == 1


def test_a_sender_is_refused(sandbox: SandboxProcess) -> None:
    sandbox.fail_mail("reject", stage="mail", code=553)

    with _client(sandbox) as client, pytest.raises(smtplib.SMTPSenderRefused):
        client.send_message(_mail())


@pytest.mark.parametrize(("kind", "delivered_count"), [("drop_before", 0), ("drop_after", 1)])
def test_the_connection_ends_after_data_whether_or_not_the_mail_was_taken(
    sandbox: SandboxProcess, kind: str, delivered_count: int
) -> None:
    sandbox.fail_mail(kind)
    client = _client(sandbox)

    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.send_message(_mail())

    client.close()
    assert len(sandbox.outbox()) == delivered_count
    with _client(sandbox) as second:
        second.send_message(_mail())


def test_a_delayed_answer_times_out_although_the_mail_was_taken(sandbox: SandboxProcess) -> None:
    sandbox.fail_mail("delay", delay_s=30)
    client = _client(sandbox, timeout_s=0.3)

    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        client.send_message(_mail())

    client.close()
    assert len(sandbox.outbox()) == 1


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login"])
def test_any_user_signs_in_and_is_named_in_the_outbox(sandbox: SandboxProcess, mechanism: str) -> None:
    with _client(sandbox) as client:
        client.ehlo()
        client.user, client.password = "desk", "any"
        client.auth(mechanism.removeprefix("auth_").upper(), getattr(client, mechanism))
        client.send_message(_mail())

    assert sandbox.outbox()[0]["auth_user"] == "desk"


def test_a_sign_in_is_refused_on_request(sandbox: SandboxProcess) -> None:
    sandbox.fail_mail("reject", stage="auth", code=535, times=5)

    with _client(sandbox) as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login("desk", "wrong")


@pytest.mark.parametrize("stage", ["auth", "mail", "rcpt"])
def test_the_connection_ends_at_any_stage_on_request(sandbox: SandboxProcess, stage: str) -> None:
    sandbox.fail_mail("drop_before", stage=stage)
    client = _client(sandbox)

    with pytest.raises(smtplib.SMTPServerDisconnected):
        _sign_in_and_send(client)

    client.close()
    assert "Traceback" not in (sandbox.data_dir / "sandbox.log").read_text()


def test_a_mail_above_the_size_limit_is_refused(sandbox: SandboxProcess) -> None:
    with _client(sandbox) as client:
        client.ehlo()
        too_big = int(client.esmtp_features["size"]) + 1

        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail("a@example.test", ["b@example.test"], b"x", [f"SIZE={too_big}"])
