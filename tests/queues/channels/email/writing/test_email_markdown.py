"""Our Markdown as a mail's two bodies: readable, safe, and linear in its length."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kernel import limits
from queues.channels.email.writing.markdown_html import text_to_html, to_html, to_text

_WORST_S = 15.0  # the worst takes two on a quiet machine; what is not linear takes minutes

CASES = {
    "marks": (
        "**a** *b* ~~c~~ `d<`",
        "*a* _b_ ~~c~~ `d<`\n",
        '<p><strong>a</strong> <em>b</em> <s>c</s> <code style="STYLE">d&lt;</code></p>\n',
    ),
    "lines": ("one\ntwo\n\nthree", "one\ntwo\n\nthree\n", "<p>one<br>\ntwo</p>\n<p>three</p>\n"),
    "links": (
        "[a](https://x.test/?b=1&c=2) <https://y.test> <ada@example.test> [d](ftp://z)",
        "a (https://x.test/?b=1&c=2) https://y.test ada@example.test d (ftp://z)\n",
        '<p><a href="https://x.test/?b=1&amp;c=2">a</a> <a href="https://y.test">https://y.test</a>'
        ' <a href="mailto:ada@example.test">ada@example.test</a> d (ftp://z)</p>\n',
    ),
    "picture": (
        "![cat](https://x.test/cat.png)",
        "cat (https://x.test/cat.png)\n",
        '<p><a href="https://x.test/cat.png">cat</a></p>\n',
    ),
    "list": (
        "- a\n- b\n  1. c\n  2. d\n\nend",
        "- a\n- b\n  1. c\n  2. d\n\nend\n",
        "<ul><li>a\n</li>\n<li>b\n<ol><li>c\n</li>\n<li>d\n</li>\n</ol>\n</li>\n</ul>\n<p>end</p>\n",
    ),
    "numbers go on": ("3. a\n4. b", "3. a\n4. b\n", '<ol start="3"><li>a\n</li>\n<li>b\n</li>\n</ol>\n'),
    "quote": (
        "> a\n> b\n>\n> > c\n\nd",
        "> a\n> b\n>\n> > c\n\nd\n",
        '<blockquote style="STYLE">\n<p>a<br>\nb</p>\n<blockquote style="STYLE">\n<p>c</p>\n</blockquote>\n</blockquote>\n<p>d</p>\n',
    ),
    "code": (
        "x:\n\n```sh\nif a < b\n  c\n```\nend",
        "x:\n\n    if a < b\n      c\n\nend\n",
        '<p>x:</p>\n<pre style="STYLE">if a &lt; b\n  c</pre>\n<p>end</p>\n',
    ),
    "heading and rule": ("# A\n\n---\n\nb", "A\n\n" + "-" * 40 + "\n\nb\n", "<h1>A</h1>\n<hr>\n<p>b</p>\n"),
    "html is text": ("<b onclick=x>a</b>", "<b onclick=x>a</b>\n", "<p>&lt;b onclick=x&gt;a&lt;/b&gt;</p>\n"),
    "program": (
        "[a](javascript:alert(1))",
        "[a](javascript:alert(1))\n",
        "<p>[a](javascript:alert(1))</p>\n",
    ),
    "empty": ("", "\n", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_markdown_as_text_and_as_html(name: str) -> None:
    source, text, html = CASES[name]

    assert to_text(source) == text
    assert re.sub(r'style="[^"]*"', 'style="STYLE"', to_html(source)) == html


def test_a_picture_that_comes_with_the_mail_is_shown() -> None:
    assert to_html("![a](cid:x@y)", cids=frozenset({"x@y"})) == '<p><img src="cid:x@y" alt="a"></p>\n'
    assert "<img" not in to_html("![a](cid:other)", cids=frozenset({"x@y"}))


def test_plain_text_as_html_keeps_its_lines() -> None:
    assert text_to_html("a < b\nc\n\nd\n") == "<p>a &lt; b<br>c</p>\n<p>d</p>\n"


class _Seen(HTMLParser):
    """Which elements and attributes a reader's program would find."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.addresses: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {(tag, name) for name, _ in attrs} or {(tag, "")}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("br", "hr", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


_PIECES = st.sampled_from(
    [
        "*",
        "**",
        "_",
        "~~",
        "`",
        "```",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "!",
        "\n",
        "\n\n",
        " ",
        "    ",
        "- ",
        "1. ",
        "> ",
        "# ",
        "&lt;",
        '"',
        "https://x.test",
        "javascript:x",
        "data:text/html,x",
        "a",
        "<script>",
        "<img src=x onerror=y>",
        "\\",
        "cid:x",
        "\t",
        "---",
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join) | st.text(max_size=80))
def test_any_markdown_makes_closed_html_of_harmless_elements(source: str) -> None:
    seen = _Seen()

    seen.feed(to_html(source, cids=frozenset({"x"})))
    seen.close()

    known = {
        ("a", "href"),
        ("img", "src"),
        ("img", "alt"),
        ("code", "style"),
        ("pre", "style"),
        ("blockquote", "style"),
        ("ol", "start"),
    }
    plain = {
        (tag, "")
        for tag in ("p", "strong", "em", "s", "br", "hr", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6")
    }
    assert seen.found <= known | plain
    assert seen.open == []
    assert all(one.lower().startswith(("http://", "https://", "mailto:", "tel:", "cid:x")) for one in seen.addresses)


@pytest.mark.parametrize(
    "piece",
    ["![", "[a](https://x.test) ", "> ", "- ", "1. a\n", "*a **b ", "> - ", "<", "`a` ", "a\n", "~~a~~ "],
)
def test_the_longest_message_of_any_kind_costs_seconds_at_most(piece: str) -> None:
    source = piece * (limits.message_body_chars_max // len(piece))

    began = time.process_time()
    html, text = to_html(source), to_text(source)
    spent_s = time.process_time() - began

    assert spent_s < _WORST_S
    assert len(html) + len(text) < 40 * len(source)
