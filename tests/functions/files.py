"""Files over the API, for the tests: sent, linked, followed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from falcon import testing

from models.ports.inbound import AttachmentInfo, InboundMessage
from tests.desk import Desk
from tests.functions.callers import PASSWORD, Caller

PNG = b"\x89PNG\r\n\x1a\n a picture"
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
FILES = "https://files.desk.example.org"


def signed_in(gateway: Any, role: str) -> Caller:
    body = {"email": f"{role}@example.test", "password": PASSWORD}
    return Caller(gateway, Caller(gateway).made("/v1/auth/tokens", body)["access_token"])


def upload(caller: Caller, content: bytes = PNG, *, name: str = "plan.png", kind: str = "image/png") -> Any:
    return caller.made("/v1/attachments", raw=content, headers={"Content-Type": kind}, params={"filename": name})


def follow(caller: Caller, url: str, *, host: str | None = None, method: str = "GET") -> testing.Result:
    """A browser follows a link: without any header of ours."""
    parts = urlsplit(url)
    return Caller(caller.app).ask(method, parts.path, headers={"Host": host or parts.netloc})


def link(caller: Caller, attachment_id: str, **query: str) -> str:
    return str(caller.read(f"/v1/attachments/{attachment_id}", params=query)["url"])


def inbound(desk: Desk, content: bytes, *, kind: str = "image/png", name: str = "a.png", **more: Any) -> str:
    """A mail with one file; the file's id."""
    info = AttachmentInfo(name, kind, len(content), content=content, **more)
    desk.receive(InboundMessage("ada@example.com", "Ada", "ada@example.com", "See.", attachments=(info,)))
    desk.run_due()
    [row] = desk.rows("SELECT id FROM attachments ORDER BY created_at DESC, id DESC LIMIT 1")
    return str(row["id"])
