"""The parser of Authentication-Results: no text of a stranger becomes a result."""

from __future__ import annotations

import pytest
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


@pytest.mark.parametrize(
    "statement",
    [
        "spf=pass smtp.mailfrom=corp.test x@evil.test",
        "spf=pass smtp.mailfrom=corp.test x=@evil.test",
        "spf=pass smtp.mailfrom=corp.test smtp.helo=@evil.test",
        "spf=pass smtp.mailfrom=corp.test smtp.mail=x@evil.test",
        "spf=pass smtp.mailfrom=corp.test header.i=@evil.test",
        "dmarc=pass header.from=corp.test @evil.test",
        "dmarc=pass header.from=corp.test smtp.mailfrom=@evil.test",
        "dkim=pass header.d=corp.test @evil.test",
    ],
)
def test_the_rest_of_an_unquoted_local_part_takes_the_pass_from_its_result(statement: str) -> None:
    # given a relay that writes a sender's local part without its quotes, so that its spaces end the value
    found = authentication_results.read(f"mx.desk.test; {statement}".encode())

    assert found is not None
    assert [one.result for one in found.results] == ["contradictory"]


@pytest.mark.parametrize(
    "statement",
    [
        "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=vera@corp.test smtp.helo=mx.corp.test",
        "dkim=pass (2048-bit key) header.d=corp.test header.i=@corp.test header.b=abc/12",
        "dmarc=pass action=none header.from=corp.test",
        "compauth=pass reason=100",
        'dkim=pass reason="good signature of vera@corp.test" header.d=corp.test',
    ],
)
def test_an_address_where_it_belongs_leaves_the_result_as_it_is(statement: str) -> None:
    found = authentication_results.read(f"mx.desk.test; {statement}".encode())

    assert found is not None
    assert [one.result for one in found.results] == ["pass"]


def test_a_byte_of_a_local_part_that_latin_1_counts_as_a_space_ends_no_value() -> None:
    # The last byte of this letter in UTF-8 is the no-break space of Latin-1.
    found = authentication_results.read("mx.desk.test; spf=pass smtp.mailfrom=vit\u00e0@corp.test".encode())

    assert found is not None
    assert found.results[0].properties["smtp.mailfrom"].endswith("@corp.test")
