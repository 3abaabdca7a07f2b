"""The two pure parts: the rate limiter on a clock of ours, and entity arithmetic in UTF-16 units."""

import pytest

from scripts.sandbox.telegram.bot_request import ApiError
from scripts.sandbox.telegram.entities import checked_entities, parse_html, trimmed, utf16_units
from scripts.sandbox.telegram.rates import Rates


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def _passed(rates: Rates, chat_id: int, tries: int) -> int:
    return sum(rates.retry_after_s(1, chat_id) == 0 for _ in range(tries))


def test_a_private_chat_takes_a_short_burst_and_then_one_a_second() -> None:
    clock = Clock()
    rates = Rates(clock)

    assert _passed(rates, 7, 10) == 3
    assert rates.retry_after_s(1, 7) == 1

    clock.now_s += 1.0
    assert _passed(rates, 7, 10) == 1


def test_a_group_takes_twenty_and_then_one_every_three_seconds() -> None:
    clock = Clock()
    rates = Rates(clock)

    assert _passed(rates, -7, 30) == 20
    assert rates.retry_after_s(1, -7) == 3

    clock.now_s += 60.0
    assert _passed(rates, -7, 30) == 20


def test_a_bot_sends_thirty_a_second_over_all_chats_and_bots_are_apart() -> None:
    rates = Rates(Clock())

    assert sum(rates.retry_after_s(1, chat_id) == 0 for chat_id in range(1, 101)) == 30
    assert rates.retry_after_s(2, 1) == 0


def test_a_parrot_is_two_units() -> None:
    assert utf16_units("a\U0001f99c") == 3


def test_html_becomes_text_and_nested_entities() -> None:
    text, entities = parse_html('\U0001f99c <b>bold <i>both</i></b> &amp; <a href="https://example.test">link</a>')

    assert text == "\U0001f99c bold both & link"
    assert entities == [
        {"type": "bold", "offset": 3, "length": 9},
        {"type": "italic", "offset": 8, "length": 4},
        {"type": "text_link", "offset": 15, "length": 4, "url": "https://example.test"},
    ]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("é<x>", 'Unsupported start tag "x" at byte offset 2'),
        ("</b>", "Unmatched end tag at byte offset 0"),
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b" at byte offset 4'),
    ],
)
def test_html_that_telegram_cannot_parse_is_refused_with_its_place(source: str, complaint: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_html(source)

    assert complaint in refused.value.description


def test_entities_outside_the_text_are_dropped_and_the_rest_moves_with_the_trimming() -> None:
    inside = {"type": "bold", "offset": 2, "length": 2}
    outside = {"type": "bold", "offset": 2, "length": 20}

    kept = checked_entities([inside, outside], "  ab ")

    assert trimmed("  ab ", kept) == ("ab", [{"type": "bold", "offset": 0, "length": 2}])
