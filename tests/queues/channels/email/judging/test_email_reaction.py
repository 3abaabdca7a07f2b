"""A mail that only reacts to a message is no message."""

from __future__ import annotations

import pytest

from models.ports.inbound import Ignored, InboundMessage, Parsed, ReactionChange
from queues.channels.email.parse import read_mail
from tests.queues.channels import golden

HEAD = "From: Ada <ada@example.test>\nSubject: Re: x\nIn-Reply-To: <ours@example.test>\n"
GMAIL = """Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain; charset=utf-8

{emoji} Ada reacted via Gmail
--b
Content-Type: text/vnd.google.email-reaction+json; charset=utf-8

{json}
--b
Content-Type: text/html; charset=utf-8

<p>{emoji}</p>
--b--
"""


def read(content: str, head: str = HEAD) -> Parsed:
    return read_mail((head + content).encode(), {}, golden.EMAIL)


def declared(text: str) -> str:
    return f"Content-Type: text/plain; charset=utf-8\nContent-Disposition: reaction\n\n{text}\n"


@pytest.mark.parametrize(
    ("content", "emojis"),
    [
        (GMAIL.format(emoji="👍", json='{"emoji": "👍", "version": 1}'), ("👍",)),
        (declared("😢"), ("😢",)),
        (declared("👍🏽 ❤️ 👨‍👩‍👧‍👦"), ("👍🏽", "❤️", "👨‍👩‍👧‍👦")),
        (declared("1️⃣ 🇩🇪 👍 👍"), ("1️⃣", "🇩🇪", "👍")),
    ],
)
def test_a_reaction_is_read_in_both_forms(content: str, emojis: tuple[str, ...]) -> None:
    assert read(content) == ReactionChange("<ours@example.test>", "ada@example.test", "Ada", emojis, adds=True)


def test_a_footer_of_a_gateway_makes_no_message_of_a_reaction_with_alternatives() -> None:
    wrapped = 'Content-Type: multipart/mixed; boundary="w"\n\n--w\n{}--w--\n'

    reaction = read(wrapped.format(GMAIL.format(emoji="👍", json='{"emoji": "👍"}')))

    assert isinstance(reaction, ReactionChange)


@pytest.mark.parametrize(
    "content",
    [
        declared("Thank you"),
        declared("👍 Thank you"),
        declared("5"),
        declared(""),
        GMAIL.format(emoji="👍", json="not JSON"),
        GMAIL.format(emoji="👍", json='["👍"]'),
        GMAIL.format(emoji="👍", json='{"emoji": ["👍"]}'),
        'Content-Type: multipart/mixed; boundary="w"\n\n--w\nContent-Type: text/plain; charset=utf-8\n'
        "Content-Disposition: reaction\n\n👍\n--w\nContent-Type: text/plain\n\nAnd send the bill.\n--w--\n",
    ],
)
def test_a_mail_with_words_stays_a_message(content: str) -> None:
    assert isinstance(read(content), InboundMessage)


def test_a_reaction_that_answers_nothing_is_ignored() -> None:
    assert isinstance(read(declared("👍"), "From: ada@example.test\n"), Ignored)
