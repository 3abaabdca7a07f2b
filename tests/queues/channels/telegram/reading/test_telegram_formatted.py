"""The format of an agent's text in the staff group: Markdown that says the same, else HTML, else plain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues.channels.telegram.reading import entities
from queues.channels.telegram.reading.formatted import body_of
from queues.channels.telegram.writing.render import render


def mark(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("text", "marks", "body", "body_format"),
    [
        ("Water *it* _now_.", [], "Water *it* _now_.", "text"),
        (
            "See https://a.example/x_y and a@b.example",
            [mark("url", 4, 21), mark("email", 30, 11)],
            "See https://a.example/x_y and a@b.example",
            "text",
        ),
        ("Please wait.", [mark("bold", 7, 4)], "Please **wait**.", "markdown"),
        ("Please wait.", [mark("italic", 7, 4)], "Please *wait*.", "markdown"),
        ("Not this.", [mark("strikethrough", 0, 3)], "~~Not~~ this.", "markdown"),
        ("Run a`b now", [mark("code", 4, 3)], "Run ``a`b`` now", "markdown"),
        ("x=1", [mark("pre", 0, 3, language="python")], "```python\nx=1\n```", "markdown"),
        ("Do:\nx=1\nand go", [mark("pre", 4, 3)], "Do:\n```\nx=1\n```\n\nand go", "markdown"),
        (
            "Our page, please",
            [mark("text_link", 4, 4, url="https://a.example/(x)")],
            "Our [page](<https://a.example/(x)>), please",
            "markdown",
        ),
        ("Both here", [mark("bold", 0, 4), mark("italic", 0, 4)], "***Both*** here", "markdown"),
        ("2 * 3 and 4 * 5", [mark("bold", 10, 1)], r"2 \* 3 and **4** \* 5", "markdown"),
        ("one\ntwo\n\nthree", [mark("bold", 0, 3)], "**one**\\\ntwo\n\nthree", "markdown"),
        ("1. one\n2. two", [mark("bold", 3, 3)], "1\\. **one**\\\n2\\. two", "markdown"),
        ("# no heading", [mark("bold", 2, 2)], r"\# **no** heading", "markdown"),
        ("🙂 wide", [mark("bold", 3, 4)], "🙂 **wide**", "markdown"),
        ("Under it", [mark("underline", 0, 5)], "<u>Under</u> it", "html"),
        ("A secret", [mark("spoiler", 2, 6)], 'A <span class="spoiler">secret</span>', "html"),
        ('a"b"c', [mark("bold", 1, 3)], "a<b>&quot;b&quot;</b>c", "html"),
        ("said", [mark("blockquote", 0, 4)], "<blockquote>said</blockquote>", "html"),
    ],
)
def test_a_text_keeps_its_format(text: str, marks: list[dict[str, Any]], body: str, body_format: str) -> None:
    assert body_of(text, marks) == (body, body_format)


TEXTS = st.text(st.sampled_from(list("ab *_`~[]<>()\\#-+.1\n\"'&!🙂")), min_size=1, max_size=24)
KINDS = st.sampled_from(["bold", "italic", "strikethrough", "code", "underline"])
MARKS = st.lists(st.builds(mark, KINDS, st.integers(0, 20), st.integers(1, 12)), max_size=3)


@settings(max_examples=200, deadline=None)
@given(TEXTS, MARKS)
def test_the_body_shows_the_letters_and_the_format_that_the_agent_saw(text: str, marks: list[dict[str, Any]]) -> None:
    body, body_format = body_of(text, marks)
    rich = render(body, body_format)

    assert "".join(rich.text.split()) == "".join(text.split())
    # The plain text of a format never becomes another one; code inside a bold text takes its place there.
    tags = {"bold": "b", "italic": "i", "strikethrough": "s", "underline": "u", "code": "code"}
    assert {tags[one.type] for one in rich.entities} <= {span.tag for span in entities.spans(text, marks)}
