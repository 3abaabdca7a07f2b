"""Callers of the functions' real applications, and what every answer must keep to."""

from __future__ import annotations

from typing import Any

import pytest
from falcon import testing

PROBLEM = "application/problem+json"
DEMO_KEY = "demo-key"
PASSWORD = "nestor-demo"
# For what is decided before any statement is sent: the engine makes no difference, and PostgreSQL costs a second.
sqlite_only = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
ROLES = ("admin", "manager", "accountant", "agent")


class Caller:
    """Somebody who talks to one application, with or without a bearer token."""

    def __init__(self, app: Any, token: str | None = None) -> None:
        self.app = app
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = testing.TestClient(app, headers=headers)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> testing.Result:
        """One request; `body` is sent as JSON. `headers`, `query_string`, `raw` (bytes) as given."""
        if body is not None:
            more["json"] = body
        if "raw" in more:
            more["body"] = more.pop("raw")
        return self._client.simulate_request(method, path, **more)

    def get(self, path: str, **more: Any) -> testing.Result:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> testing.Result:
        return self.ask("POST", path, body, **more)

    def made(self, path: str, body: Any = None, **more: Any) -> Any:
        """The resource that a POST made."""
        result = self.post(path, body, **more)
        assert result.status_code in (200, 201, 202), result.text
        return result.json

    def read(self, path: str, **more: Any) -> Any:
        """The resource at a path."""
        result = self.get(path, **more)
        assert result.status_code == 200, result.text
        return result.json

    def ticket(self, title: str = "Printer", **more: Any) -> Any:
        return self.made("/v1/tickets", {"title": title, **more})

    def everything(self, path: str, *, limit: int = 2, **parameters: str) -> list[Any]:
        """All items of a list, walked page by page."""
        found: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": str(limit), **parameters} | ({"cursor": cursor} if cursor else {})
            page = self.read(path, params=query)
            assert len(page["items"]) <= limit
            found += page["items"]
            cursor = page["next_cursor"]
            assert len(found) < 1_000, "a list that does not end"
        return found


def problem(result: testing.Result, status: int, code: str | None = None) -> Any:
    """The answer's problem document, checked to be a whole one (RFC 9457)."""
    assert result.status_code == status, result.text
    assert result.headers["content-type"] == PROBLEM
    document = result.json
    assert {"type", "title", "status", "detail", "code", "request_id"} <= document.keys()
    assert document["status"] == status
    assert document["request_id"] == result.headers["x-request-id"]
    assert document["detail"]
    assert document["title"]
    assert document["type"] == f"urn:nestor:problem:{document['code']}"
    if status in (429, 503):
        assert int(result.headers["retry-after"]) >= 1
    if status == 401:
        assert result.headers["www-authenticate"].startswith("Bearer")
    if code is not None:
        assert document["code"] == code
    return document


def paths(document: Any) -> list[str]:
    """Where a 422 says that something is wrong."""
    return [error["path"] for error in document["errors"]]
