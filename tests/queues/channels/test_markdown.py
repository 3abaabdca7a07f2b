"""Our Markdown: what counts as one, and that no text costs more than its length."""

from __future__ import annotations

import time

import pytest

from queues.channels.markdown import parse


def test_strikethrough_is_known_and_html_is_only_text() -> None:
    inline = parse("~~old~~ <b>new</b>")[1]

    assert [token.type for token in inline.children or []] == ["s_open", "text", "s_close", "text"]
    assert (inline.children or [])[-1].content == " <b>new</b>"


@pytest.mark.parametrize(
    "piece", ["*", "[", "> ", "`", "~~a", "![[", "- ", "*a_ ", "[a](<b", "a\n", "[x](", "&"]
)
def test_a_hostile_text_costs_time_by_its_length(piece: str) -> None:
    text = (piece * 100_000)[:100_000]

    started = time.process_time()
    parse(text)

    assert time.process_time() - started < 5.0  # a second on a slow machine; quadratic would be minutes
