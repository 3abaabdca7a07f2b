"""The visible reply: our own corpus, hostile texts, and what holds for any text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.channels.email import mime_limits
from queues.channels.email.reply_above import REPLY_ABOVE
from queues.channels.email.reply_lines import Lines
from queues.channels.email.visible_reply import split, visible_reply
from tests.queues.channels.email.replies.corpus import Case, cases

TEXT_CASES = cases("text")
MEGABYTE = 1 << 20
SECONDS_MAX = 1.5  # a quiet machine needs a third; the libraries need minutes
HOSTILE = {
    "prose with the usual first word": "On the other hand\n",
    "one line of letters": "a b c d e f g ",
    "quote marks in one line": ">",
    "quote marks": ">\n",
    "signature marks": "-- \n",
    "attributions": "On May 5, 2020 at 10:00 x wrote y:\n",
    "attributions and quotes": "On May 5, 2020 at 10:00 x <a@b.c> wrote:\n> x\ny\n",
    "half attributions": "wrote 2020 a@b\n:\n",
    "header lines": "From: a\n",
    "header blocks that are none": "From: a\nx\nTo: b\n\n",
    "dashes": "- x\n",
    "armour that does not end": "-----BEGIN PGP SIGNATURE-----\n",
    "armour that ends": "-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----\n",
    "half our marker": "##- reply above this lin\n",
    "rules": "________________\n",
    "nothing": "\n",
    "invisible letters": "\u200b\u00a0\u202e",
    "footers": "sent from my\n",
    "marks above the original": "--original messagx--\n",
    "wrapped quotes": f"> {'x' * 70}\nb\n",
}
# Pieces of which the rules are made, to be strung together at random.
PIECES = (
    "On Mon, May 1, 2020 at 10:00 AM, Ada Lovelace", "<ada@example.test> wrote:", "> quoted", ">> older", "", "Yes, please.", "-- ", "--",
    "____________", "From: Ada <ada@example.test>", "Sent: Monday", "To: Desk", "Subject: x", "-----Original Message-----",
    "---------- Forwarded message ---------", "Sent from my iPhone", "Am 1. Mai 2020 um 10:00 schrieb Ada:",
    "- item", "-Ada", "\t", "   indented",
    "|", "> On 1 May 2020, at 10:00, Ada <ada@example.test> wrote:", REPLY_ABOVE["en"], "-----BEGIN PGP SIGNED MESSAGE-----", "Hash: SHA1",
    "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----", "x\r", "在 2020年5月1日，Ada <ada@example.test> 写道：",
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=25).map("\n".join),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=30)), max_size=15).map("\n".join),
)


@pytest.mark.parametrize("case", TEXT_CASES, ids=[case.id for case in TEXT_CASES])
def test_of_a_mail_of_our_corpus_just_what_is_new_is_shown(case: Case) -> None:
    found = split(case.body, subject=case.subject)

    assert found.visible.strip("\n") == case.visible
    if case.signature is not None:
        assert found.signature is not None
        assert found.signature.strip() == case.signature.strip()
    if case.reason is not None:
        assert found.reason == case.reason


@given(text=TEXTS)
def test_what_is_shown_are_lines_of_the_mail_in_their_order_and_never_nothing(text: str) -> None:
    found = split(text)

    rest = iter(text.split("\n"))
    for line in found.visible.split("\n"):
        assert any(line == whole or line == whole.rstrip() for whole in rest), line
    assert bool(found.visible.strip()) == bool(text.strip())


@given(text=TEXTS)
def test_no_word_of_a_mail_gets_lost(text: str) -> None:
    found = split(text)

    parts = f"{found.visible}\n{found.hidden}\n{found.signature or ''}"
    assert sorted(parts.split()) == sorted(text.split())
    assert 0 <= found.hidden_at <= len(text)
    assert (found.hidden_at == len(text)) == (
        not found.hidden and found.signature is None
    ) or not text.strip()


@given(text=TEXTS)
def test_a_reply_shown_above_its_quote_is_the_same_when_it_is_read_again(text: str) -> None:
    reply = f"Thank you, that works.\n\n{'> '.join(['', *text.splitlines(keepends=True)])}"

    assert visible_reply(visible_reply(reply)) == visible_reply(reply)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_cost_of_a_hostile_text_grows_with_its_length_only(name: str) -> None:
    piece = HOSTILE[name]
    small, large = (piece * (size // len(piece)) for size in (MEGABYTE // 64, MEGABYTE))

    few, many = Lines(small).steps, Lines(large).steps

    assert (
        many <= 2 * 64 * few + 64
    )  # 64 times the text; twice, because lines beyond the bound are looked at otherwise
    assert many <= 16 * large.count("\n") + mime_limits.attribution_steps_max + 64


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_of_text_is_split_quickly(name: str) -> None:
    piece = HOSTILE[name]
    text = piece * (MEGABYTE // len(piece))

    started = time.process_time()
    split(text)

    assert time.process_time() - started < SECONDS_MAX


@pytest.mark.parametrize("language", REPLY_ABOVE)
@pytest.mark.parametrize("form", ["{}", "> {}", "> > {}", "*{}*", "  {}  "])
def test_our_own_line_ends_the_reply_in_every_language_however_a_client_quotes_it(
    language: str, form: str
) -> None:
    text = f"Merci, ça marche.\n\nEin Satz, den niemand kennt, 5:\n{form.format(REPLY_ABOVE[language])}\nWhat we wrote\nbefore."

    found = split(text)

    assert found.reason == "reply above"
    assert "What we wrote" in found.hidden
    assert found.visible.startswith("Merci, ça marche.")


@pytest.mark.parametrize("language", ["en", "ru", "de", "fr", "es", "it", "pt", "nl", "pl", "uk", "tr"])
def test_our_own_line_is_known_when_it_was_wrapped(language: str) -> None:
    first, _, last = REPLY_ABOVE[language].rpartition(" ")
    start, _, middle = first.rpartition(" ")

    found = split(f"Thanks.\n\n> {start}\n> {middle} {last}\n> What we wrote")

    assert (found.visible, found.reason) == ("Thanks.", "reply above")
