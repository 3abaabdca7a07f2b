"""Our Markdown is read in one way, and a hostile text costs little."""

from __future__ import annotations

import time

import pytest

from models.kernel import limits
from queues.channels.markdown import parse

_WORST_S = 10.0  # the worst takes one second on a quiet machine; a quadratic one would take minutes


def kinds(text: str) -> list[str]:
    return [
        token.type
        for block in parse(text)
        if block.type == "inline"
        for token in block.children or []
        if token.type != "text"
    ]


def test_emphasis_code_links_and_strikes_are_read() -> None:
    assert kinds("**a** *b* ~~c~~ `d` [e](https://x.test)") == [
        "strong_open",
        "strong_close",
        "em_open",
        "em_close",
        "s_open",
        "s_close",
        "code_inline",
        "link_open",
        "link_close",
    ]


def test_raw_html_is_text() -> None:
    assert kinds("<b>bold</b> <script>x</script>") == []


def test_a_link_that_runs_a_program_is_no_link() -> None:
    assert kinds("[a](javascript:alert(1)) [b](data:text/html,x) [c](vbscript:x)") == []


@pytest.mark.parametrize(
    "piece",
    [
        "![",
        "[",
        "*a ",
        "**a *b ",
        "~~a ",
        "`a",
        "> ",
        "- ",
        "[a](",
        "[a](<b",
        "<a ",
        "&#x",
        "*_",
        "*a_ ",
        "a\n",
        "[x](",
        "[](",
    ],
)
def test_a_hostile_text_of_the_longest_kind_costs_seconds_at_most(piece: str) -> None:
    text = piece * (limits.message_body_chars_max // len(piece))

    began = time.process_time()
    parse(text)

    assert time.process_time() - began < _WORST_S


def test_a_text_over_the_bound_is_kept_whole_as_it_stands() -> None:
    text = "**a** " * limits.message_body_chars_max

    (block,) = [token for token in parse(text) if token.type == "inline"]

    assert [(token.type, token.content) for token in block.children or []] == [("text", text)]
