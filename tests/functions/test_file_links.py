"""Links to files: they die, they cannot be forged, and what they give is never shown in place where
the console lives.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from models.attachments import links, queries
from models.blobs import commands as blobs
from models.blobs import stores
from models.kernel import limits, settings
from models.kernel.storage import database
from models.ports.inbound import AttachmentInfo, InboundMessage
from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, Caller, problem
from tests.functions.files import FILES, HTML, PNG, SVG, follow, inbound, link, upload

POLICY = "sandbox; default-src 'none'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def caller(gateway: Any) -> Caller:
    return Caller(gateway, DEMO_KEY)


@pytest.fixture
def own_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files have a host of their own."""
    monkeypatch.setenv("PUBLIC_URL", "https://desk.example.org")
    monkeypatch.setenv("FILES_URL", FILES)
    settings.current.cache_clear()


def test_a_link_gives_the_bytes_as_a_download_without_any_header_of_ours(caller: Caller) -> None:
    made = upload(caller, name='a "plan" — план.png')

    answer = follow(caller, made["url"])

    assert answer.status_code == 200
    assert answer.content == PNG
    headers = answer.headers
    assert headers["content-disposition"].startswith('attachment; filename="a plan')
    assert "filename*=UTF-8''a%20plan%20%E2%80%94%20%D0%BF" in headers["content-disposition"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith(POLICY)
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "private, no-store"
    assert headers["content-length"] == str(len(PNG))


def test_a_head_request_returns_the_size_and_opens_nothing(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    url = upload(caller)["url"]
    monkeypatch.setattr(blobs, "open_key", None)

    answer = follow(caller, url, method="HEAD")

    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(PNG))
    assert answer.content == b""


@pytest.mark.parametrize(
    ("asked", "status", "expected", "told"),
    [
        ("bytes=0-3", 206, slice(0, 4), "bytes 0-3/"),
        ("bytes=8-", 206, slice(8, None), "bytes 8-"),
        ("bytes=-4", 206, slice(-4, None), "bytes "),
        ("bytes=5-9999", 206, slice(5, None), "bytes 5-"),
        ("bytes=0-", 200, slice(None), None),
        ("bytes=9999-", 200, slice(None), None),
        ("bytes=7-3", 200, slice(None), None),
        ("bytes=-0", 200, slice(None), None),
        ("bytes=-", 200, slice(None), None),
        ("bytes=0-1,3-4", 200, slice(None), None),
        ("lines=0-1", 200, slice(None), None),
    ],
)
def test_a_download_that_broke_off_can_go_on(
    caller: Caller, asked: str, status: int, expected: slice, told: str | None
) -> None:
    path = urlsplit(upload(caller)["url"]).path
    etag = Caller(caller.app).get(path).headers["etag"]

    part = Caller(caller.app).get(path, headers={"Range": asked, "If-Range": etag})
    other = Caller(caller.app).get(path, headers={"Range": asked, "If-Range": '"another"'})

    assert (part.status_code, part.content) == (status, PNG[expected])
    assert part.headers["content-length"] == str(len(part.content))
    assert str(part.headers.get("content-range")).startswith(told or "None")
    assert (other.status_code, other.content) == (200, PNG)


def test_a_link_dies_after_some_minutes(desk: Desk, caller: Caller) -> None:
    url = upload(caller)["url"]

    desk.advance(seconds=limits.file_link_s - 2)
    alive = follow(caller, url)
    desk.advance(seconds=4)
    dead = follow(caller, url)

    assert alive.status_code == 200
    problem(dead, 404, "not_found")


def test_no_bit_of_a_link_can_be_changed(caller: Caller) -> None:
    made, other = upload(caller), upload(caller, b"another")
    token = made["url"].rpartition("/")[2]
    whole = bytearray(base64.urlsafe_b64decode(token + "=="))
    forged = [made["url"][:-1], made["url"] + "A", made["url"].replace(token, ""), made["url"] + "=="]
    for place in range(len(whole)):
        changed = whole.copy()
        changed[place] ^= 1
        forged.append(made["url"].replace(token, base64.urlsafe_b64encode(changed).rstrip(b"=").decode()))
    swapped = UUID(other["id"]).bytes + bytes(whole[16:])
    forged.append(made["url"].replace(token, base64.urlsafe_b64encode(swapped).rstrip(b"=").decode()))

    assert {follow(caller, url).status_code for url in forged} == {404}


def test_a_link_of_another_key_is_none(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    url = upload(caller)["url"]
    monkeypatch.setenv("SECRET_KEY", "another key of more than thirty-two characters")
    settings.current.cache_clear()

    problem(follow(caller, url), 404)


@pytest.mark.parametrize(
    ("content", "declared", "served"),
    [
        (PNG, "image/png", "image/png"),
        (HTML, "image/png", "application/octet-stream"),
        (HTML, "text/html", "application/octet-stream"),
        (SVG, "image/svg+xml", "application/octet-stream"),
        (SVG, "image/png", "application/octet-stream"),
        (b"MZ\x90\x00", "image/jpeg", "application/octet-stream"),
        (b"a,b\n1,2\n", "text/csv", "text/csv"),
        (b"a,b\n1,2\n", "image/png", "text/plain"),
        (b"x = 1", "text/javascript", "application/octet-stream"),
        (b"x = 1", "application/x-javascript", "application/octet-stream"),
        (b"x", "application/xhtml+xml", "application/octet-stream"),
        (b"PK\x03\x04", _DOCX, _DOCX),
        (PNG, "text/html", "application/octet-stream"),
        (b"PK\x03\x04", "application/vnd.ms-excel", "application/vnd.ms-excel"),
        (b"%PDF-1.4", "application/pdf", "application/pdf"),
        (PNG, 'x"y\r\nSet-Cookie: a=b', "image/png"),
    ],
)
def test_what_a_browser_could_run_leaves_without_a_type(
    desk: Desk, caller: Caller, content: bytes, declared: str, served: str
) -> None:
    file_id = inbound(desk, content, kind=declared)

    answer = follow(caller, link(caller, file_id))

    assert answer.headers["content-type"] == served
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.content == content


def test_nothing_is_shown_in_place_on_the_consoles_origin(desk: Desk, caller: Caller) -> None:
    file_id = inbound(desk, PNG, inline=True, content_id="logo@ada")
    asked = link(caller, file_id, inline="true")
    forged = links.url(UUID(file_id), settings.current(), inline=True)

    with database.connection():
        [message] = desk.rows("SELECT message_id FROM attachments")
        shown = queries.cid_links(UUID(str(message["message_id"])), settings.current())

    for url in (asked, forged):
        assert follow(caller, url).headers["content-disposition"].startswith("attachment;")
    assert shown == {}


@pytest.mark.usefixtures("own_origin")
def test_a_picture_is_shown_in_place_on_an_origin_of_its_own(desk: Desk, caller: Caller) -> None:
    file_id = inbound(desk, PNG, inline=True, content_id="logo@ada")
    with database.connection():
        [message] = desk.rows("SELECT message_id FROM attachments")
        shown = queries.cid_links(UUID(str(message["message_id"])), settings.current())

    for url in (link(caller, file_id, inline="true"), shown["logo@ada"]):
        assert url.startswith(f"{FILES}/files/")
        answer = follow(caller, url)
        assert answer.headers["content-disposition"].startswith("inline;")
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-security-policy"].startswith(POLICY)
        # A page of the console's origin may embed it.
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert follow(caller, link(caller, file_id)).headers["content-disposition"].startswith("attachment;")


@pytest.mark.usefixtures("own_origin")
@pytest.mark.parametrize("content", [HTML, SVG, b"%PDF-1.4", b"text", b"MZ"])
def test_what_is_no_picture_by_its_bytes_is_not_shown_in_place_anywhere(
    desk: Desk, caller: Caller, content: bytes
) -> None:
    file_id = inbound(desk, content, inline=True, content_id="logo@ada")
    forged = links.url(UUID(file_id), settings.current(), inline=True)

    for url in (link(caller, file_id, inline="true"), forged):
        assert follow(caller, url).headers["content-disposition"].startswith("attachment;")


@pytest.mark.usefixtures("own_origin")
def test_the_consoles_host_serves_no_files_when_they_have_one_of_their_own(desk: Desk, caller: Caller) -> None:
    url = link(caller, inbound(desk, PNG))

    problem(follow(caller, url, host="desk.example.org"), 404)
    assert follow(caller, url, host="files.desk.example.org").status_code == 200


def test_a_file_without_bytes_has_no_link(desk: Desk, caller: Caller) -> None:
    info = AttachmentInfo("big.mp4", "video/mp4", 5, refused="too_large", reason="larger than 20 MB")
    desk.receive(InboundMessage("ada@example.com", "Ada", "ada@example.com", "See.", attachments=(info,)))
    desk.run_due()
    [row] = desk.rows("SELECT id FROM attachments")

    shown = caller.read(f"/v1/attachments/{row['id']}")

    assert (shown["url"], shown["state"], shown["reason"]) == (None, "too_large", "larger than 20 MB")
    problem(follow(caller, links.url(UUID(str(row["id"])), settings.current())), 404)


def test_bytes_that_the_store_lost_are_missing_and_not_an_error_of_ours(desk: Desk, caller: Caller) -> None:
    made = upload(caller)
    with database.connection():
        stores.current().delete(blobs.key_of(made["sha256"]))

    problem(follow(caller, made["url"]), 404, "blob_missing")
