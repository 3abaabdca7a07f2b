"""The parser of Authentication-Results: no text of a stranger becomes a result."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from queues.channels.email.judging import authentication_results

_PARTS = st.lists(
    st.sampled_from(
        ["(", ")", "\\", '"', ";", "=", " ", "/", "dmarc", "pass", "header.from", "corp.test", "\x00", "\xff", "x"]
    ),
    max_size=60,
).map("".join)


@given(_PARTS)
@settings(max_examples=400, deadline=None)
def test_any_text_in_a_comment_changes_no_result(text: str) -> None:
    # given a relay that escapes what a comment cannot hold (RFC 5322 section 3.2.2)
    escaped = "".join(f"\\{one}" if one in '()\\"' else one for one in text)

    found = authentication_results.read(f"mx.desk.test; spf=pass ({escaped}) smtp.mailfrom=evil.test".encode("latin-1"))

    assert found is not None
    assert [(one.method, one.result, one.properties) for one in found.results] == [
        ("spf", "pass", {"smtp.mailfrom": "evil.test"})
    ]


@given(_PARTS)
@settings(max_examples=400, deadline=None)
def test_any_text_in_quotes_changes_no_result(text: str) -> None:
    escaped = "".join(f"\\{one}" if one in '\\"' else one for one in text)

    found = authentication_results.read(
        f'mx.desk.test; spf=none smtp.mailfrom="{escaped}"@evil.test; dkim=none'.encode("latin-1")
    )

    assert found is not None
    assert [(one.method, one.result) for one in found.results] == [("spf", "none"), ("dkim", "none")]
    assert found.results[0].properties["smtp.mailfrom"].endswith("@evil.test")


@given(st.binary(max_size=300) | _PARTS.map(lambda text: text.encode("latin-1")))
@settings(max_examples=400, deadline=None)
def test_no_bytes_stop_the_parser(value: bytes) -> None:
    found = authentication_results.read(b"mx.desk.test; " + value)

    assert found is None or found.authserv_id == "mx.desk.test"
