"""Telegram's entities become HTML: balanced, safe, and without a letter lost, whatever the entities are."""

from __future__ import annotations

import html
import re
import time
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kernel import limits
from models.kernel.text import clean
from queues.channels.telegram.reading.entities import moved, safe_url, spans, to_html

KINDS = [
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "code",
    "pre",
    "blockquote",
    "expandable_blockquote",
    "text_link",
    "text_mention",
    "url",
    "email",
    "date_time",
    "mention",
    "hashtag",
    "custom_emoji",
    "bot_command",
    "hologram",
]
TEXTS = st.text(alphabet=st.sampled_from("ab <>&\"'\n\r🔥é\ud83d\x00/:.@"), max_size=60)
OFFSETS = st.integers(min_value=-5, max_value=70)
ENTITIES = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS), "offset": OFFSETS, "length": OFFSETS},
    optional={
        "url": st.sampled_from(
            ["https://example.test/?a=\"'<>", "javascript:alert(1)", "tg://user?id=7", " ", "http://[::1"]
        ),
        "language": st.sampled_from(["python", "c++", '"><script>', ""]),
        "user": st.just({"id": 7}),
        "unix_time": st.integers(min_value=-5, max_value=2**60),
    },
)


def stripped(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


class Balance(HTMLParser):
    """Fails on tags that do not nest; collects what they say."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def balanced(markup: str) -> Balance:
    reader = Balance()
    reader.feed(markup)
    reader.close()
    assert reader.open == []
    return reader


def marked(text: str, *entities: tuple[int, int, str]) -> str | None:
    return to_html(text, [{"offset": start, "length": length, "type": kind} for start, length, kind in entities])


@given(TEXTS, st.lists(ENTITIES, max_size=12))
def test_any_entities_give_balanced_tags_and_the_whole_text(text: str, entities: list[dict[str, Any]]) -> None:
    markup = to_html(text, entities)

    if markup is None:
        return
    reader = balanced(markup)
    assert clean(stripped(markup)) == clean(text)
    assert reader.attributes <= {"href", "rel", "class", "datetime"}
    assert all(re.match(r"(https?|mailto|tg):", link) for link in reader.links)


NO_ENTITIES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "offset", "length", "url"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(TEXTS, NO_ENTITIES)
def test_what_are_no_entities_changes_nothing(text: str, entities: object) -> None:
    markup = to_html(text, entities)

    assert markup is None or clean(stripped(markup)) == clean(text)


@pytest.mark.parametrize(
    ("text", "entities", "expected"),
    [
        ("🔥 hot", [(3, 3, "bold")], "🔥 <b>hot</b>"),
        ("ab", [(0, 1, "bold"), (1, 1, "bold")], "<b>a</b><b>b</b>"),
        ("abc", [(0, 2, "bold"), (1, 2, "italic")], "<b>a<i>b</i></b><i>c</i>"),
        ("abc", [(0, 3, "italic"), (0, 3, "blockquote")], "<blockquote><i>abc</i></blockquote>"),
        ("a\nb", [(0, 3, "bold")], "<b>a<br>\nb</b>"),
        ("a\nb", [(0, 3, "pre")], "<pre>a\nb</pre>"),
        ("a🔥b", [(2, 9, "bold")], "a🔥<b>b</b>"),  # it begins within the emoji, and ends behind the text
        ("abc", [(0, 3, "bold"), (0, 3, "bold")], "<b>abc</b>"),
        ("abcd", [(0, 3, "bold"), (1, 3, "bold")], "<b>abcd</b>"),
        (
            "ab",
            [(0, 1, "blockquote"), (1, 1, "blockquote")],
            "<blockquote>a</blockquote><blockquote>b</blockquote>",
        ),
    ],
)
def test_entities_are_shown_where_they_are(text: str, entities: list[tuple[int, int, str]], expected: str) -> None:
    assert marked(text, *entities) == expected


def test_a_text_whose_entities_change_nothing_has_no_html() -> None:
    assert marked("@ada #fire", (0, 4, "mention"), (5, 5, "hashtag")) is None
    assert to_html("a", None) is None
    assert to_html("", [{"offset": 0, "length": 1, "type": "bold"}]) is None


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.test/a b", ""),
        ("HTTPS://example.test", "HTTPS://example.test"),
        ("mailto:ada@example.test", "mailto:ada@example.test"),
        ("tg://resolve?domain=desk_bot", "tg://resolve?domain=desk_bot"),
        ("javascript:alert(1)", ""),
        ("java\tscript:alert(1)", ""),
        ("\x01javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("vbscript:x", ""),
        ("//example.test", ""),
        ("/v1/tickets", ""),
        ("http://", ""),
        ("http://[", ""),
        ("https://" + "a" * 3_000, ""),
    ],
)
def test_only_links_of_known_schemes_are_followed(url: str, safe: str) -> None:
    assert safe_url(url) == safe


def test_a_link_without_its_scheme_leads_to_https_and_a_strange_one_nowhere() -> None:
    assert '<a href="https://example.test/a"' in (marked("example.test/a", (0, 14, "url")) or "")
    assert marked("javascript:alert(1)", (0, 19, "url")) is None
    assert marked("not@an address", (0, 14, "email")) is None


def test_many_marks_over_one_letter_are_bounded_in_number_and_in_depth() -> None:
    kinds = ["bold", "italic", "underline", "strikethrough", "spoiler", "code", "text_mention"]
    entities = [
        {"offset": number, "length": 2_000 - number, "type": kinds[number % len(kinds)], "user": {"id": 7}}
        for number in range(100_000)
    ]

    begun = time.process_time()
    markup = to_html("x" * 4_096, entities) or ""

    assert time.process_time() - begun < 1.0
    assert len(spans("x" * 4_096, entities)) == len(kinds)
    apart = [{"offset": 2 * number, "length": 1, "type": "bold"} for number in range(2_000)]
    assert len(spans("x" * 4_096, apart)) == limits.telegram_entities_read_max
    assert len(markup) < 50_000
    assert stripped(markup) == "x" * 4_096


@pytest.mark.parametrize("size", [100_000, 400_000])
def test_a_long_text_costs_time_in_proportion(size: int) -> None:
    entities = [{"offset": number * (size // 400), "length": 50, "type": "bold"} for number in range(400)]

    begun = time.process_time()
    to_html("🔥a" * (size // 2), entities)

    assert time.process_time() - begun < 1.0


def test_entities_move_with_the_words_that_remain() -> None:
    entities: list[Any] = [
        {"offset": 0, "length": 4, "type": "bot_command"},
        {"offset": 2, "length": 5, "type": "bold"},
        {"offset": 6, "length": 2, "type": "italic", "extra": 1},
        {"offset": None, "length": 1},
        7,
    ]

    assert moved(entities, -5) == [
        {"offset": 0, "length": 2, "type": "bold"},
        {"offset": 1, "length": 2, "type": "italic", "extra": 1},
    ]
    assert moved("x", -5) == []
