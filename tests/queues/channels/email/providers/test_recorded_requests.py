"""A recorded request of a described provider that is sent again changes nothing: it is too old, or known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from falcon import testing

from models.ports.inbound import IngressRequest
from models.tasks.payloads import CollectGarbage
from queues.actors import collect_garbage
from queues.channels.email.providers import forms
from queues.channels.email.providers.described import ingress
from queues.channels.email.providers.described.description import Auth
from tests.desk import Desk
from tests.queues.channels.email.providers import recorded
from tests.queues.channels.email.providers.conftest import Post
from tests.queues.channels.email.providers.recorded import Fixture, Request, manners

on_sqlite = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

DESCRIBED = {one.parent.name for one in recorded.FOLDERS.glob("*/description.yaml")} | {"described"}
RECORDED = [
    one
    for one in recorded.fixtures("inbound", "attachment", "delivered", "bounced", "deferred", "unknown")
    if one.provider in DESCRIBED
]


class Recorder:
    """Posts a request as its provider does, and sends the recorded bytes again."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._recorded: Request | None = None

    def first(self, fixture: Fixture, alter: Callable[[Request], Request] | None = None) -> testing.Result:
        return self._post(fixture, alter=alter, change=self._record)

    def again(self, fixture: Fixture, **changes: Any) -> testing.Result:
        request = self._recorded
        assert request is not None
        headers = {**request.headers, **changes.pop("more_headers", {})}
        return self._post(fixture, change=lambda _: replace(request, headers=headers, **changes))

    @property
    def body(self) -> bytes:
        assert self._recorded is not None
        return self._recorded.body

    def _record(self, request: Request) -> Request:
        self._recorded = request
        return request


@pytest.fixture
def recorder(post: Post) -> Recorder:
    return Recorder(post)


def effects(desk: Desk) -> tuple[int, ...]:
    """Count the events, tickets, messages and receipts of the desk."""
    tables = ("inbox", "tickets", "messages", "events")
    return tuple(len(desk.rows(f"SELECT 1 FROM {table}")) for table in tables)


def test_each_described_provider_has_recordings() -> None:
    assert {one.provider for one in RECORDED} == DESCRIBED


@on_sqlite
@pytest.mark.parametrize("fixture", RECORDED, ids=str)
def test_a_recorded_request_changes_nothing_at_once_and_after_a_year(
    desk: Desk, recorder: Recorder, fixture: Fixture
) -> None:
    assert recorder.first(fixture).status_code == 200
    desk.run_due()
    before = effects(desk)

    soon = recorder.again(fixture)
    desk.advance(days=400)
    desk.run_due()
    collect_garbage.run(None, CollectGarbage())  # type: ignore[arg-type]
    late = recorder.again(fixture)
    desk.run_due()

    assert (soon.status_code, soon.json["repeat"]) == (200, True)
    if manners(fixture.provider).SIGNS:
        assert late.status_code == 401
    else:
        assert (late.status_code, late.json["repeat"]) == (200, True)
    assert effects(desk)[0] == before[0]
    assert effects(desk)[1:3] == before[1:3]


UNSIGNED: dict[str, dict[str, Any]] = {
    "further headers": {"more_headers": {"X-Envelope-From": "mallory@evil.test", "X-Other": "1"}},
    "a query": {"query": "again=1"},
    "a parameter of the content type": {"content_type": "; charset=utf-16; boundary=evil"},
}


@on_sqlite
@pytest.mark.parametrize("case", UNSIGNED)
@pytest.mark.parametrize("fixture", [one for one in RECORDED if one.kind == "inbound"], ids=str)
def test_the_unsigned_parts_of_a_request_make_no_other_event(
    desk: Desk, recorder: Recorder, fixture: Fixture, case: str
) -> None:
    recorder.first(fixture)
    desk.run_due()
    before = effects(desk)
    changes = dict(UNSIGNED[case])
    if "content_type" in changes:
        changes["content_type"] = fixture.request.content_type.partition(";")[0] + changes["content_type"]

    again = recorder.again(fixture, **changes)
    desk.run_due()

    assert (again.status_code, again.json["repeat"]) == (200, True)
    assert effects(desk) == before


@on_sqlite
def test_a_forged_form_beside_a_recorded_one_is_refused(desk: Desk, recorder: Recorder) -> None:
    """The bytes are two forms, by the boundary in Content-Type and by their first line. Only one of them is signed."""
    [fixture] = [one for one in RECORDED if one.provider == "mandrill" and one.kind == "inbound"]
    recorder.first(fixture)
    signed = recorded_field(recorder.body)
    forged = signed.replace(b"Ada Lovelace", b"Mallory").replace(b"printer-1", b"forged-1")
    assert forged != signed
    body = form_of(b"theirs", forged) + b"\r\n" + form_of(b"signed", signed)
    before = effects(desk)

    by_type = recorder.again(fixture, body=body, content_type="multipart/form-data; boundary=signed")
    by_line = recorder.again(fixture, body=body, content_type="multipart/form-data; boundary=theirs")

    assert (by_type.status_code, by_line.status_code) == (401, 401)
    assert effects(desk) == before


def recorded_field(body: bytes) -> bytes:
    return forms.read(body)["mandrill_events"].content()


def form_of(boundary: bytes, events: bytes) -> bytes:
    head = b'Content-Disposition: form-data; name="mandrill_events"\r\n\r\n'
    return b"--" + boundary + b"\r\n" + head + events + b"\r\n--" + boundary + b"--\r\n"


@on_sqlite
def test_the_same_form_in_another_encoding_is_the_same_event(desk: Desk, recorder: Recorder) -> None:
    [fixture] = [one for one in RECORDED if one.provider == "mandrill" and one.kind == "inbound"]
    recorder.first(fixture)
    events = recorded_field(recorder.body)

    as_parts = recorder.again(fixture, body=form_of(b"x", events), content_type="multipart/form-data; boundary=x")
    quoted = b"mandrill_events=" + "".join(f"%{byte:02x}" for byte in events).encode()
    as_escapes = recorder.again(fixture, body=quoted)

    assert [(one.status_code, one.json["repeat"]) for one in (as_parts, as_escapes)] == [(200, True)] * 2


@pytest.mark.parametrize("kind", ["hmac", "rsa"])
def test_a_signature_that_does_not_cover_the_content_is_good_for_one_request(kind: str) -> None:
    auth = Auth(kind=kind, header="X-Sig", signed="{url}")  # type: ignore[arg-type]
    covered = Auth(kind=kind, header="X-Sig", signed="{body}")  # type: ignore[arg-type]
    request = IngressRequest({"x-sig": "aa"}, b"{}", "application/json")

    assert ingress._nonce(auth, request) is not None
    assert ingress._nonce(covered, request) is None
