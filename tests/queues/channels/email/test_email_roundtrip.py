"""What a mail program that keeps the rules writes, is read back exactly. The writer is the standard library's."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

from hypothesis import given, settings
from hypothesis import strategies as st

from models.ports.inbound import InboundMessage
from queues.channels.email.parse import read_mail
from tests.queues.channels import golden

WORDS = st.lists(
    st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=12),
    min_size=1,
    max_size=8,
).map(" ".join)
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=30).map(
    lambda stem: f"{stem}.bin"
)
ONE_WORD = st.text(
    st.characters(codec="utf-8", categories=["L"]), min_size=1, max_size=8
)  # the writer loses blanks between long words
FILES = st.lists(st.tuples(NAMES, st.binary(max_size=300)), max_size=4)


@settings(max_examples=80, deadline=None)
@given(ONE_WORD, ONE_WORD, WORDS, FILES, st.sampled_from(["utf-8", "quoted-printable", "base64"]))
def test_a_mail_by_the_rules_is_read_exactly(
    subject: str, name: str, text: str, files: list[tuple[str, bytes]], encoding: str
) -> None:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f'"{name}" <ada@example.test>'
    mail["To"] = "desk@example.test"
    mail["Subject"] = subject
    mail["Message-ID"] = "<1@example.test>"
    mail.set_content(text, cte="8bit" if encoding == "utf-8" else encoding)
    mail.add_alternative(f"<p>{text}</p>", subtype="html")
    for filename, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=filename)

    parsed = read_mail(mail.as_bytes(), {}, golden.EMAIL)

    assert isinstance(parsed, InboundMessage)
    assert (parsed.subject, parsed.author_name, parsed.body_full or parsed.body) == (
        subject[:200],
        name,
        text,
    )
    assert [(found.filename, found.content) for found in parsed.attachments] == files
