"""What a chat shows of our Markdown and HTML: text and entities that the Bot API takes as they are."""

from __future__ import annotations

import time
from itertools import combinations
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from queues.channels.telegram.writing.render import render
from queues.channels.telegram.writing.rich import SPLITTABLE, Rich, units


def shown(rich: Rich) -> list[tuple[str, str]]:
    """Each entity as (type, the text under it)."""
    wide = rich.text.encode("utf-16-le")
    return [(one.type, wide[one.offset * 2 : one.end * 2].decode("utf-16-le")) for one in rich.entities]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("Hello", "Hello", []),
        ("**Hello** _Ada_", "Hello Ada", [("bold", "Hello"), ("italic", "Ada")]),
        ("~~no~~ yes", "no yes", [("strikethrough", "no")]),
        ("🔥 **fire** 🔥", "🔥 fire 🔥", [("bold", "fire")]),
        ("**a _b_ c**", "a b c", [("bold", "a b c"), ("italic", "b")]),
        ("**a** & <b>", "a & <b>", [("bold", "a")]),
        ("# Title\n\ntext", "Title\n\ntext", [("bold", "Title")]),
        ("# A **b** c", "A b c", [("bold", "A b c")]),
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree", []),
        ("- one\n- two\n  - three\n\nend", "• one\n• two\n  • three\n\nend", []),
        ("3. one\n4. two", "3. one\n4. two", []),
        ("- a\n\n- b", "• a\n• b", []),
        ("1. **x**\n\n   y\n2. z", "1. x\ny\n2. z", [("bold", "x")]),
        ("> quoted\n> > deeper\n\nafter", "quoted\n\ndeeper\n\nafter", [("blockquote", "quoted\n\ndeeper")]),
        ("`x < 1` is", "x < 1 is", [("code", "x < 1")]),
        ("**a `b` c**", "a b c", [("bold", "a "), ("code", "b"), ("bold", " c")]),
        ("[t `c`](https://x.test)", "t c", [("text_link", "t c")]),
        ("[**a**](https://x.test)", "a", [("bold", "a"), ("text_link", "a")]),
        ("a\n\n---\n\nb", "a\n\n———\n\nb", []),
        ("[click](javascript:alert)", "[click](javascript:alert)", []),
        ("[click](/relative)", "click", []),
        ("![a cat](https://x.test/c.png)", "a cat", [("text_link", "a cat")]),
        ("a\\\nb", "a\nb", []),
        ("\\*no\\*", "*no*", []),
        ("a\x00b", "a\ufffdb", []),
        ("   ", "", []),
    ],
)
def test_markdown_becomes_text_with_entities(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    rich = render(source, "markdown")

    assert rich.text == text
    assert shown(rich) == entities


def test_a_block_of_code_names_its_language_and_a_link_its_address() -> None:
    rich = render("```python title\nx = 1\n\n```\n[mail](mailto:ada@example.test)", "markdown")

    pre, link = rich.entities
    assert (rich.text, pre.type, pre.language) == ("x = 1\n\nmail", "pre", "python")
    assert link.url == "mailto:ada@example.test"


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<p>One <b>two</b></p><p>three</p>", "One two\n\nthree", [("bold", "two")]),
        ("a<br>b &amp; c", "a\nb & c", []),
        ("<ul><li>x</li><li><p>y</p></li></ul>z", "• x\n• y\n\nz", []),
        ("<ol><li>x<li>y</ol>", "1. x\n2. y", []),
        ("<h2>T</h2><blockquote>q</blockquote>", "T\n\nq", [("bold", "T"), ("blockquote", "q")]),
        ("<pre><code> x\n  y</code></pre>", "x\n  y", [("pre", "x\n  y")]),
        ("<a href='https://x.test'>x</a> <a href='javascript:1'>y</a>", "x y", [("text_link", "x")]),
        ("<b>a<i>b</b>c</i>", "abc", [("bold", "ab"), ("italic", "b"), ("italic", "c")]),
        ("<style>p{}</style>a<script>1</script>", "a", []),
        ("  <div>\n  a   b </div>", "a b", []),
    ],
)
def test_html_becomes_text_with_entities(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    rich = render(source, "html")

    assert rich.text == text
    assert shown(rich) == entities


def test_plain_text_is_shown_as_it_is() -> None:
    assert render(" **a** <b>\r\n`c` ", "text") == Rich("**a** <b>\n`c`")


_PIECES = st.lists(
    st.sampled_from(
        [
            "**",
            "_",
            "~~",
            "`",
            "```\n",
            "> ",
            "- ",
            "1. ",
            "# ",
            "\n",
            "\n\n",
            "[x](https://x.test)",
            "a",
            " ",
            "🔥",
            "[",
            "](tg://user)",
            "<b>",
            "</b>",
            "<a href='https://x'>",
            "</a>",
            "<pre>",
            "</pre>",
            "<li>",
            "<blockquote>",
            "</blockquote>",
            "<code>",
            "</i>",
            "<i>",
            "![i](http://x)",
        ]
    ),
    max_size=40,
)


@settings(max_examples=300)
@example(["a", "<i>", "b", "<blockquote>", "c", "<pre>", "d", "</pre>", "e", "</i>"], "html")
@example(["<code>", "a", "<blockquote>"], "html")
@given(_PIECES, st.sampled_from(["markdown", "html"]))
def test_the_rules_of_the_bot_api_hold_whatever_was_written(
    pieces: list[str], body_format: Literal["markdown", "html"]
) -> None:
    rich = render("".join(pieces), body_format)

    assert rich.text == rich.text.strip()
    for one in rich.entities:
        assert 0 <= one.offset < one.end <= units(rich.text)
        assert (one.url is not None) == (one.type == "text_link")
    for first, second in combinations(rich.entities, 2):
        apart = first.end <= second.offset
        assert apart or second.end <= first.end, "one contains the other"
        if not apart:
            assert first.type not in ("pre", "code"), "code contains nothing"
            assert first.type != second.type
            if second.type in ("pre", "code"):
                same = (first.offset, first.length) == (second.offset, second.length)
                assert first.type == "blockquote" or (not same and first.type not in SPLITTABLE)


@pytest.mark.parametrize(
    "piece", ["**a", "<b>", "<b><i>x</b>", "> ", "[", "<a href=x>", "<ul><li>", "<!--", "<!", "&#"]
)
def test_a_hostile_text_costs_time_by_its_length(piece: str) -> None:
    text = (piece * 100_000)[:100_000]

    started = time.process_time()
    render(text, "markdown")
    render(text, "html")

    assert time.process_time() - started < 10.0
