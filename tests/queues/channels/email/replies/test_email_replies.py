"""The visible reply: the corpus, hostile texts, and properties of every text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.channels.staff_texts import REPLY_ABOVE
from queues.channels.email import limits
from queues.channels.email.replies.html_reply import cut_html
from queues.channels.email.replies.reply_above import marker_html, marker_line
from queues.channels.email.replies.reply_lines import Lines
from queues.channels.email.replies.visible_reply import split, visible_reply
from queues.channels.html_text import html_to_text
from tests.queues.channels.email.replies.corpus import Case, cases

TEXT_CASES, HTML_CASES = cases("text"), cases("html")
MEGABYTE = 1 << 20
# A quiet machine needs a third of it; the libraries need minutes.
SECONDS_MAX = 1.5
HOSTILE = {
    "prose with the usual first word": "On the other hand\n",
    "one line of letters": "a b c d e f g ",
    "quote marks in one line": ">",
    "quote marks": ">\n",
    "signature marks": "-- \n",
    "signature marks that may be rules": "--\n",
    "rules that may be signature marks": "___\n\n",
    "signatures": "--\nAda\n",
    "footers below marks": "--\nSent from my iPhone\n",
    "wrapped addresses": "> https://a/b(?x\n?y=1\n",
    "wrapped brackets": "> (((\n)a\n",
    "an attribution in the middle of a line": "yes please On May 5, 2020 at 10:00 x <a@b.c> wrote:\n> x\ny\n",
    "first words in the middle of a line": "On May 5, 2020 at 10:00 x " * 10 + "\n",
    "attributions": "On May 5, 2020 at 10:00 x wrote y:\n",
    "attributions and quotes": "On May 5, 2020 at 10:00 x <a@b.c> wrote:\n> x\ny\n",
    "half attributions": "wrote 2020 a@b\n:\n",
    "half dates": "1 b may d 5 f. 2020: " * 10 + ":\n",
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
HOSTILE_HTML = {
    "nested quotes": "<blockquote>" * 200_000,
    "nested quotes of Gmail": '<div class="gmail_quote">x' * 40_000,
    "nested elements": "<div>" * 100_000 + "x" + "</div>" * 100_000,
    "ends that were never begun": "<div>" * 100_000 + "</p>" * 100_000,
    "quotes and answers": '<blockquote type="cite">q</blockquote>a<br>' * 25_000,
    "cuts": '<div id="appendonsend">a</div>' * 35_000,
    "tags that do not end": "<a " * 350_000,
    "one tag of many attributes": "<p " + "class=a " * 130_000 + ">x",
    "classes like Outlook's": f'<p class="{"x_" * 40}">' * 11_000,
    "pictures": "<img src=a><br>" * 70_000,
    "signatures": '<div class="gmail_signature">a</div>' * 28_000,
    "borders": '<div style="border:none;border-top:solid">a:</div>' * 20_000,
}
# Pieces that the rules look for, to be joined at random.
PIECES = (
    "On Mon, May 1, 2020 at 10:00 AM, Ada Lovelace",
    "<ada@example.test> wrote:",
    "> quoted",
    ">> older",
    "",
    "Yes, please.",
    "-- ",
    "--",
    "____________",
    "From: Ada <ada@example.test>",
    "Sent: Monday",
    "To: Desk",
    "Subject: x",
    "-----Original Message-----",
    "---------- Forwarded message ---------",
    "Sent from my iPhone",
    "Am 1. Mai 2020 um 10:00 schrieb Ada:",
    "- item",
    "-Ada",
    "\t",
    "   indented",
    "|",
    "> On 1 May 2020, at 10:00, Ada <ada@example.test> wrote:",
    marker_line(REPLY_ABOVE["en"]),
    "-----BEGIN PGP SIGNED MESSAGE-----",
    "Hash: SHA1",
    "-----BEGIN PGP SIGNATURE-----",
    "-----END PGP SIGNATURE-----",
    "to the old  address On Mon, May 1, 2020 at 10:00 AM, ada@example.test wrote:",
    "Ja. Am 1. Mai 2020 um 10:00 schrieb Ada <ada@example.test>:",
    "—",
    "Ada Lovelace",
    "> See the order (https://example.test/view",
    "?id=5521)",
    "x\r",
    "在 2020年5月1日，Ada <ada@example.test> 写道：",
)
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=25).map("\n".join),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=30)), max_size=15).map("\n".join),
)


@pytest.mark.parametrize("case", TEXT_CASES, ids=[case.id for case in TEXT_CASES])
def test_only_the_new_part_of_a_text_mail_in_the_corpus_is_shown(case: Case) -> None:
    found = split(case.body, subject=case.subject)

    assert found.visible.strip("\n") == case.visible
    if case.signature is not None:
        assert found.signature is not None
        assert found.signature.strip() == case.signature.strip()
    if case.reason is not None:
        assert found.reason == case.reason


@pytest.mark.parametrize("case", HTML_CASES, ids=[case.id for case in HTML_CASES])
def test_only_the_new_part_of_an_html_mail_in_the_corpus_is_shown(case: Case) -> None:
    cut = cut_html(case.body, subject=case.subject)

    assert cut.text.strip("\n") == case.visible
    assert _words(html_to_text(cut.html)) == _words(case.visible)
    if case.signature is not None:
        assert cut.signature is not None
        assert cut.signature.strip() == case.signature.strip()
    if case.reason is not None:
        assert cut.reason == case.reason


def test_the_corpus_has_150_text_mails_and_40_html_mails() -> None:
    assert len(TEXT_CASES) >= 150
    assert len(HTML_CASES) >= 40
    assert len({case.id for case in TEXT_CASES + HTML_CASES}) == len(TEXT_CASES + HTML_CASES)


@given(text=TEXTS)
def test_the_visible_reply_has_lines_of_the_mail_in_their_order_and_is_never_empty(text: str) -> None:
    found = split(text)

    rest = iter(text.split("\n"))
    for line in found.visible.split("\n"):
        # An attribution may begin within a line, so a shown line may be the beginning of a line.
        assert any(whole.startswith(line) for whole in rest), line
    assert bool(found.visible.strip()) == bool(text.strip())


@given(text=TEXTS)
def test_no_word_of_a_mail_is_lost(text: str) -> None:
    found = split(text)

    parts = f"{found.visible}\n{found.hidden}\n{found.signature or ''}"
    assert sorted(parts.split()) == sorted(text.split())
    assert 0 <= found.hidden_at <= len(text)
    assert (found.hidden_at == len(text)) == (not found.hidden and found.signature is None) or not text.strip()


@given(text=TEXTS)
def test_the_visible_reply_of_a_visible_reply_is_itself(text: str) -> None:
    reply = f"Thank you, that works.\n\n{'> '.join(['', *text.splitlines(keepends=True)])}"

    assert visible_reply(visible_reply(reply)) == visible_reply(reply)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_cost_of_a_hostile_text_is_linear_in_its_length(name: str) -> None:
    piece = HOSTILE[name]
    small, large = (piece * (size // len(piece)) for size in (MEGABYTE // 64, MEGABYTE))

    few, many = Lines(small).steps, Lines(large).steps

    # The text is 64 times as long. The factor 2 allows for lines beyond the bound, which cost something else.
    assert many <= 2 * 64 * few + 64
    assert many <= 16 * large.count("\n") + limits.attribution_steps_max + 64


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_of_text_is_split_quickly(name: str) -> None:
    piece = HOSTILE[name]
    text = piece * (MEGABYTE // len(piece))

    started = time.process_time()
    split(text)

    assert time.process_time() - started < SECONDS_MAX


HTML_PIECES = (
    "<div>",
    "</div>",
    "Yes.",
    "<br>",
    "<p>",
    "</p>",
    '<div class="gmail_quote">',
    '<div class="gmail_attr">',
    "<blockquote>",
    "</blockquote>",
    '<blockquote type="cite">',
    "On 1 May 2020 at 10:00, Ada &lt;ada@example.test&gt; wrote:",
    '<div id="x_divRplyFwdMsg">',
    "<hr>",
    "<!-- ",
    "-->",
    '<div id="appendonsend"></div>',
    '<div class="gmail_signature">',
    "<img src=x>",
    "old",
    "<p>to the <b>old</b> address&nbsp;On 1 May 2020 at 10:00, Ada &lt;ada@example.test&gt; wrote:</p>",
    "ja &AMP Am 1. Mai 2020 um 10:00 schrieb <i>Ada</i>:",
    "From: Ada<br>Sent: x<br>To: y<br>",
    "<script>x",
    "</script>",
    '<a href="',
    "&gt; q",
    "<b>",
    "</b>",
    "<li>",
    "<table><tr><td>",
    "</table>",
    '<div data-nestor-reply-above="1">',
    "<",
)


@settings(max_examples=300)
@given(pieces=st.lists(st.sampled_from(HTML_PIECES), max_size=30))
def test_the_visible_text_and_the_visible_html_have_the_same_words(pieces: list[str]) -> None:
    html = "".join(pieces)

    cut = cut_html(html)

    assert _words(html_to_text(cut.html)) == _words(cut.text)
    parts = _words(f"{cut.text} {cut.hidden} {cut.signature or ''}")
    assert sorted(parts) == sorted(_words(html_to_text(html)))
    assert cut.text or "<img" in cut.html or not _words(html_to_text(html))


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('Yes<div class="gmail_signature">Ada</div>please.', "Yes<br>please."),
        ('a <<div class="gmail_signature">Ada</div>b> c', "a <<br>b> c"),
        ('a &l<div class="gmail_signature">Ada</div>t; b', "a &l<br>t; b"),
        ('<p>Yes</p><div class="gmail_signature">Ada</div>please.', "<p>Yes</p>please."),
    ],
)
def test_a_cut_does_not_join_the_words_around_it(html: str, shown: str) -> None:
    cut = cut_html(html)

    assert (cut.html, cut.signature) == (shown, "Ada")
    assert html_to_text(cut.html).split() == cut.text.split()


@pytest.mark.parametrize("name", HOSTILE_HTML)
def test_a_hostile_megabyte_of_html_is_cut_quickly(name: str) -> None:
    started = time.process_time()
    cut_html(HOSTILE_HTML[name])

    assert time.process_time() - started < SECONDS_MAX


def _words(text: str) -> str:
    """Return letters and digits only: a cut may split lines or leave the dash of a list item, but it splits no word."""
    return "".join(filter(str.isalnum, text))


@pytest.mark.parametrize("language", REPLY_ABOVE)
@pytest.mark.parametrize("form", ["{}", "> {}", "> > {}", "*{}*", "  {}  "])
def test_our_reply_above_line_ends_the_reply_in_every_language_and_form_of_quote(language: str, form: str) -> None:
    line = form.format(marker_line(REPLY_ABOVE[language]))
    text = f"Merci, ça marche.\n\nEin Satz, den niemand kennt, 5:\n{line}\nWhat we wrote\nbefore."

    found = split(text)

    assert found.reason == "reply above"
    assert "What we wrote" in found.hidden
    assert found.visible.startswith("Merci, ça marche.")


@pytest.mark.parametrize("language", ["en", "ru", "de", "fr", "es", "it", "pt", "nl", "pl", "uk", "tr"])
def test_our_reply_above_line_is_found_when_it_was_wrapped(language: str) -> None:
    first, _, last = marker_line(REPLY_ABOVE[language]).rpartition(" ")
    start, _, middle = first.rpartition(" ")

    found = split(f"Thanks.\n\n> {start}\n> {middle} {last}\n> What we wrote")

    assert (found.visible, found.reason) == ("Thanks.", "reply above")


def test_our_reply_above_line_is_found_in_html_and_in_a_language_that_the_program_does_not_know() -> None:
    words = "Vastaa <tämän> yläpuolelle"
    answer = f"<p>Thanks.</p><p>Desk 5</p><blockquote>{marker_html(words)}<p>What we wrote</p></blockquote>"

    cut = cut_html(answer)

    assert (cut.text, cut.reason) == ("Thanks.\n\nDesk 5", "reply above")
    assert split(f"Thanks.\n\n> {marker_line(words)}\n> What we wrote").visible == "Thanks."
