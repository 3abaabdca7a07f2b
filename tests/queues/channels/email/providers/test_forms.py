"""Forms of providers: read by offsets, whatever is in them, without copies of what nobody asks for."""

from __future__ import annotations

import contextlib
import tracemalloc
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kernel.limits import MIB
from queues.channels.email.providers import forms
from queues.channels.email.providers.documents import Unreadable


def multipart(*fields: tuple[str, bytes], end: str = "\r\n", boundary: str = "xYz") -> bytes:
    parts = [
        f'--{boundary}{end}Content-Disposition: form-data; name="{name}"{end}{end}'.encode() + value + end.encode()
        for name, value in fields
    ]
    return b"".join(parts) + f"--{boundary}--{end}".encode()


@given(
    st.lists(
        st.tuples(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), st.binary(max_size=60)),
        min_size=1,
        max_size=6,
        unique_by=lambda pair: pair[0],
    )
)
def test_every_field_of_a_form_is_the_bytes_that_were_put_in(fields: list[tuple[str, bytes]]) -> None:
    wanted = {name: value for name, value in fields if b"--xYz" not in value}

    assert {n: f.content() for n, f in forms.read(multipart(*wanted.items())).items()} == wanted
    urlencoded = urlencode(fields).encode()
    found = forms.read(urlencoded)
    assert {name: field.content() for name, field in found.items()} == dict(fields)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_are_refused_as_one(body: bytes) -> None:
    for content in (body, b"--xYz\r\n" + body, multipart(("a", body))[:-9]):
        with contextlib.suppress(Unreadable):
            for field in forms.read(content).values():
                field.text()


def test_a_form_with_bare_line_feeds_or_cut_off_is_read_as_far_as_it_goes() -> None:
    body = multipart(("a", b"one\r\n"), ("b", b"two"), end="\n")

    assert [field.content() for field in forms.read(body).values()] == [b"one\r\n", b"two"]
    assert forms.read(multipart(("a", b"one"), ("b", b"two"))[:-10])["a"].content() == b"one"


def test_a_line_that_only_begins_like_the_boundary_belongs_to_the_field() -> None:
    value = b"x\r\n--xYzzy\r\n--xYz-\r\ny"

    assert forms.read(multipart(("a", value), ("b", b"")))["a"].content() == value


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b'filename="plan.txt"', "plan.txt"),
        (b'filename="a\\"b.txt"', 'a"b.txt'),
        (b'filename="a%22b.txt"', 'a"b.txt'),
        ('filename="план.txt"'.encode(), "план.txt"),
        (b"filename=plan.txt", "plan.txt"),
        (b'filename=""', ""),
        (b'filename="a;b=c.txt"', "a;b=c.txt"),
    ],
)
def test_a_files_name_is_read_however_it_is_written(written: bytes, name: str) -> None:
    body = (
        b'--xYz\r\nContent-Disposition: form-data; name="f"; '
        + written
        + b"\r\nContent-Type: text/plain\r\n\r\nx\r\n--xYz--"
    )

    field = forms.read(body)["f"]

    assert (field.filename, field.content_type) == (name, "text/plain")


def test_the_first_field_of_a_name_counts_and_there_is_a_bound_on_fields() -> None:
    many = multipart(("a", b"first"), ("a", b"second"), *((f"f{n}", b"x") for n in range(5_000)))

    found = forms.read(many)

    assert found["a"].content() == b"first"
    assert len(found) < 1_000


def test_a_form_of_30_mb_is_read_in_the_memory_of_the_one_field_that_is_wanted() -> None:
    mail = b"From: a@example.test\r\n\r\n" + b"x" * (29 * MIB)
    body = multipart(("subject", b"x"), ("email", mail), ("to", b"y"))
    tracemalloc.start()

    form = forms.read(body)
    looked_at = tracemalloc.get_traced_memory()[1]
    assert form["email"].content() == mail
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert looked_at < MIB
    assert taken < 31 * MIB


def test_an_urlencoded_field_of_10_mb_costs_no_object_for_each_percent_sign() -> None:
    value = b"%0A" * (10 * MIB // 3)
    tracemalloc.start()

    content = forms.read(b"a=b&body-mime=" + value)["body-mime"].content()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert content == b"\n" * (10 * MIB // 3)
    assert peak < 40 * MIB


@pytest.mark.parametrize("cut", range(6))
def test_a_percent_sign_at_the_edge_of_a_slice_is_not_cut(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from queues.channels.email.providers import limits

    monkeypatch.setattr(limits, "unquote_slice_bytes", 7)
    text = "x" * cut + "\n+ä%&" * 20
    body = urlencode({"a": text}).encode()

    assert forms.read(body)["a"].text() == text
