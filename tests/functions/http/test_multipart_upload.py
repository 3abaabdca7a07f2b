"""An upload as a form (RFC 7578), as browsers and `curl -F` send it."""

from __future__ import annotations

from typing import Any

import pytest

from models.kernel import limits
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.files import PNG, follow

pytestmark = sqlite_only
BOUNDARY = "xYzZY"
END = f"--{BOUNDARY}--\r\n".encode()


def part(name: str, content: bytes, *, filename: str | None = "plan.png", kind: str = "image/png") -> bytes:
    named = f'; filename="{filename}"' if filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def post(caller: Caller, *parts: bytes, end: bytes = END, key: str = "k0") -> Any:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Idempotency-Key": key}
    return caller.ask("POST", "/v1/attachments", raw=b"".join(parts) + end, headers=headers)


@pytest.mark.parametrize("content", [PNG, b"\r\n--xYzZ\r\n" * 9, b"x" * 300_000], ids=["small", "near", "large"])
def test_the_file_of_a_form_is_stored_as_it_was_sent(machine: Caller, content: bytes) -> None:
    stored = post(machine, part("file", content)).json

    assert (stored["filename"], stored["content_type"], stored["size_bytes"]) == ("plan.png", "image/png", len(content))
    assert follow(machine, stored["url"]).content == content


def test_an_uploaded_form_becomes_part_of_a_message(machine: Caller) -> None:
    stored = post(machine, part("file", PNG)).json
    ticket = machine.ticket()

    body = {"kind": "note", "body": "The plan.", "attachments": [stored["id"]]}
    [file] = machine.made(f"/v1/tickets/{ticket['id']}/messages", body)["attachments"]

    assert file["filename"] == "plan.png"


def test_a_repeat_of_a_form_with_its_key_returns_the_first_upload(machine: Caller) -> None:
    first, second = (post(machine, part("file", PNG), key="k1").json["id"] for _ in range(2))

    assert first == second


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([], 422),
        ([part("picture", PNG)], 422),
        ([part("file", PNG), part("file", PNG)], 422),
        ([part("file", PNG), part("title", b"x", filename=None)], 422),
        ([part("file", b"")], 422),
        ([b"no form at all\r\n"], 422),
    ],
    ids=["no part", "another name", "two files", "a field", "empty", "no form"],
)
def test_another_form_is_refused_and_stores_nothing(
    machine: Caller, desk: Any, parts: list[bytes], status: int
) -> None:
    problem(post(machine, *parts), status)

    assert desk.rows("SELECT id FROM attachments") == []


def test_a_form_that_breaks_off_is_refused_and_stores_nothing(machine: Caller, desk: Any) -> None:
    problem(post(machine, part("file", PNG)[:-2], end=b""), 400)

    assert desk.rows("SELECT id FROM attachments") == []


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=" + "x" * 71])
def test_a_form_without_a_boundary_is_refused(machine: Caller, kind: str) -> None:
    problem(machine.ask("POST", "/v1/attachments", raw=part("file", PNG), headers={"Content-Type": kind}), 400)


def test_the_file_of_a_form_has_the_same_bound(machine: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "upload_bytes_max", 1_000)

    problem(post(machine, part("file", b"x" * 1_001)), 413)
