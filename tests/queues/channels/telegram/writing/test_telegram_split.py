"""Long answers in parts: nothing is lost, nothing is too long, and what was bold stays bold."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from queues.channels.telegram.writing.rich import Entity, Rich, units
from queues.channels.telegram.writing.split import split

_TYPES = ("bold", "italic", "text_link", "code")


def characters(rich: Rich) -> list[tuple[str, frozenset[str]]]:
    """Each character that is no blank, with the types that cover it."""
    found, place = [], 0
    for character in rich.text:
        if not character.isspace():
            types = frozenset(one.type for one in rich.entities if one.offset <= place < one.end)
            found.append((character, types))
        place += units(character)
    return found


def _rich(text: str, ranges: list[tuple[str, int, int]]) -> Rich:
    """Entities on whole characters, counted in UTF-16 units."""
    places = [units(text[:index]) for index in range(len(text) + 1)]
    entities = []
    for kind, first, length in ranges:
        start, end = min(first, len(text)), min(first + length, len(text))
        if end > start:
            entities.append(Entity(kind, places[start], places[end] - places[start]))
    return Rich(text, tuple(sorted(entities, key=lambda one: (one.offset, -one.length))))


@settings(max_examples=400)
@given(
    st.text(alphabet=st.sampled_from("ab \n🔥é"), max_size=200),
    st.lists(st.tuples(st.sampled_from(_TYPES), st.integers(0, 200), st.integers(1, 60)), max_size=8),
    st.integers(min_value=2, max_value=40),
)
def test_parts_hold_the_same_characters_under_the_same_entities(
    text: str, ranges: list[tuple[str, int, int]], utf16_max: int
) -> None:
    rich = _rich(text, ranges)

    parts = split(rich, utf16_max, entities_max=8)

    assert all(0 < units(part.text) <= utf16_max for part in parts)
    assert all(part.text == part.text.strip() for part in parts)
    assert [one for part in parts for one in characters(part)] == characters(rich)
    assert all(0 <= one.offset < one.end <= units(part.text) for part in parts for one in part.entities)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(_TYPES), st.integers(0, 120), st.integers(1, 3)), max_size=60))
def test_no_part_has_more_entities_than_allowed(ranges: list[tuple[str, int, int]]) -> None:
    rich = _rich("abc de " * 18, ranges)

    parts = split(rich, 1_000, entities_max=5)

    assert all(len(part.entities) <= 5 for part in parts)
    assert "".join("".join(part.text for part in parts).split()) == "abcde" * 18


def test_the_cut_is_at_a_paragraph_else_a_line_else_a_word() -> None:
    assert [part.text for part in split(Rich("aaaa bb\n\ncc dd ee"), 14)] == ["aaaa bb", "cc dd ee"]
    assert [part.text for part in split(Rich("aaaa bb\ncc dd ee"), 12)] == ["aaaa bb", "cc dd ee"]
    assert [part.text for part in split(Rich("aaaa bb cc dd ee"), 12)] == ["aaaa bb cc", "dd ee"]


def test_an_entity_over_the_cut_ends_and_goes_on() -> None:
    first, second = split(Rich("one two three", (Entity("text_link", 4, 9, "https://x.test"),)), 8)

    assert (first.text, first.entities) == ("one two", (Entity("text_link", 4, 3, "https://x.test"),))
    assert (second.text, second.entities) == ("three", (Entity("text_link", 0, 5, "https://x.test"),))


def test_what_is_seen_as_one_sign_stays_together() -> None:
    family, flag, accent = "👩‍👩‍👧", "🇩🇪", "é"

    for sign in (family, flag, accent, "👍🏽", "❤️"):
        for parts in (
            split(Rich(sign * 6), units(sign) * 2 + 1),
            split(Rich("x" + sign * 6), units(sign) * 2 + 2),
        ):
            assert all(part.text.replace("x", "").replace(sign, "") == "" for part in parts), sign


def test_a_text_of_blanks_gives_no_part_and_one_wide_letter_always_fits() -> None:
    assert split(Rich(" \n ")) == []
    assert [part.text for part in split(Rich("🔥🔥"), 1)] == ["🔥", "🔥"]


def test_the_longest_answer_full_of_entities_is_cut_in_a_moment() -> None:
    text = "a " * 50_000
    rich = Rich(text, tuple(Entity("bold", index * 2, 1) for index in range(50_000)))

    started = time.process_time()
    parts = split(rich)

    assert len(parts) == 500
    assert time.process_time() - started < 3.0
