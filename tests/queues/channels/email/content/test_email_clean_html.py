"""HTML of strangers is shown without what it could do, in bounded time."""

from __future__ import annotations

import re
import time

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queues.channels.email import limits
from queues.channels.email.content.clean_html import sanitise
from queues.channels.email.content.html_depth import is_too_deep

SECONDS_MAX = 6.0  # for 2 MB; 0.9 s where this was written


@pytest.mark.parametrize(
    ("source", "clean"),
    [
        ("<p onclick=x>Hi<script>x</script></p>", "<p>Hi</p>"),
        ("<style>p{}</style><p style='color:red;position:fixed'>Hi</p>", '<p style="color:red">Hi</p>'),
        ("<p style='background:url(javascript:x)'>Hi</p>", "<p>Hi</p>"),
        ("<p style='width:expression(x)'>Hi</p>", "<p>Hi</p>"),
        ("<form action=x><input><button>Send</button></form>", "Send"),
        ("<svg><script>x</script></svg><math></math>ok", "ok"),
        ("<img src='data:image/png;base64,x' onerror=x alt=a>", '<img alt="a">'),
        ("<!-- <p>secret</p> -->seen", "seen"),
        ("<iframe src='http://x'></iframe><object data=x></object>seen", "seen"),
    ],
)
def test_only_what_shows_text_stays(source: str, clean: str) -> None:
    assert sanitise(source).html == clean


def test_links_open_elsewhere_and_lead_nowhere_dangerous() -> None:
    safe = sanitise('<a href="https://x.test/?a=1&amp;b">x</a>').html
    mail = sanitise('<a href="mailto:a@b">x</a>').html
    dangerous = sanitise("<a href='javascript:x'>x</a><a href='data:x'>x</a><a href='/relative'>x</a>").html

    assert safe == '<a href="https://x.test/?a=1&amp;b" target="_blank" rel="noopener noreferrer nofollow">x</a>'
    assert 'href="mailto:a@b"' in mail
    assert "href" not in dangerous


def test_remote_pictures_are_left_out_and_counted_until_somebody_asks() -> None:
    source = '<img src="https://t.test/p.gif"><img src=//t.test/q><table background="http://t.test/b"><tr><td><p style="background:url(http://t.test/c)">x'

    blocked, asked = sanitise(source), sanitise(source, remote=True)

    assert (blocked.blocked_remote, "t.test" in blocked.html) == (4, False)
    assert asked.blocked_remote == 0
    assert 'src="https://t.test/p.gif"' in asked.html


def test_inline_pictures_wait_for_the_console_to_put_them_in() -> None:
    found = sanitise('<img src="cid:a%40x" alt=1><img src="CID:&lt;b&gt;">src="cid:text"')

    assert found.cids == frozenset({"a@x", "b"})
    assert found.html == '<img data-cid="a@x" alt="1"><img data-cid="b">src="cid:text"'


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_attribute_whose_check_fails_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(seen: object, element: str, name: str, value: str) -> str:
        raise ValueError(name)

    monkeypatch.setattr("queues.channels.email.content.clean_html._Seen.attribute", fail)

    # nh3 before 0.3.8 kept the attribute as the stranger wrote it.
    assert sanitise('<a href="https://x.test" style="position:fixed">x</a>').html == "<a>x</a>"


def test_a_cid_cannot_break_out_of_its_attribute() -> None:
    assert sanitise("<img src='cid:x\" onerror=\"y'>").html == '<img data-cid="x&quot; onerror=&quot;y">'


HOSTILE = {
    "200,000 nested divs": "<div>" * 200_000,
    "reopened formatting": "<p>" + "".join(f"<font size={n}>" for n in range(150)) + "</p>" + "<p>x</p>" * 200_000,
    "misnested blocks": "<b><div></b>" * 100_000,
    "ends in comments": "<div><!--</div>-->" * 60_000,
    "ends in attributes": '<div><a title="</div>">' * 60_000,
    "ends behind tables": "<div><table><td></div>" * 60_000,
    "foreign elements": "<svg>" + "<td>" * 200_000,
    "tags without end": "<a " * 600_000,
    "flat": "<div>x</div>" * 150_000,
    "links": '<a href="http://x">x</a>' * 80_000,
    "less than": "<" * 2_000_000,
    "pictures": "<img src=cid:x>" * 100_000,
    "styles": '<p style="color:red;' + "a:b;" * 400 + '">x' * 1_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_costs_bounded_time(name: str) -> None:
    started = time.process_time()

    sanitise(HOSTILE[name])

    assert time.process_time() - started < SECONDS_MAX


def test_what_is_nested_too_deeply_is_not_shown() -> None:
    found = sanitise("<div>" * 300 + "x" + "</div>" * 300)

    assert (found.html, found.too_deep) == ("", True)
    assert not is_too_deep("<div>" * 150 + "x" + "</div>" * 150)
    assert not is_too_deep("<table><tr><td><font color=red>x</td></tr></table><p><b><i>x</b></i></p>" * 2_000)


NAMES = [
    "div",
    "p",
    "b",
    "i",
    "a",
    "span",
    "font",
    "table",
    "td",
    "tr",
    "li",
    "ul",
    "dd",
    "form",
    "center",
    "h1",
    "hr",
    "nobr",
    "ruby",
]
TOKENS = [f"<{name}>" for name in NAMES] + [f"</{name}>" for name in NAMES] + ["x", "<a href=y>", "<font size=1>"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=9), st.sampled_from([150, 400]))
def test_a_text_that_is_let_through_is_as_flat_as_was_counted(tokens: list[str], times: int) -> None:
    source = "".join(tokens) * times
    if is_too_deep(source):
        return

    depth = deepest = 0
    for end, name in re.findall(r"<(/?)([a-z0-9]+)", nh3.clean(source, tags=set(NAMES))):
        if name != "hr":
            depth += -1 if end else 1
            deepest = max(deepest, depth)
    assert deepest <= limits.html_depth_max + 20
