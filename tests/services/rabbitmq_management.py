"""RabbitMQ's HTTP API for tests: milliseconds, where `rabbitmqctl` boots an Erlang machine for each call."""

import json
from base64 import b64encode
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote

from tests.services import limits


class ManagementRefused(Exception):
    """RabbitMQ's HTTP API answered a request with an error; the message has its status and body."""

    def __init__(self, request: str, status: int, body: str) -> None:
        super().__init__(f"{request} was answered {status}: {body}")
        self.status = status


class Management:
    """A client of one node's HTTP API. A connection a call: tests stop the node between calls."""

    def __init__(self, port: int, *, user: str, password: str) -> None:
        self._port = port
        self._authorization = "Basic " + b64encode(f"{user}:{password}".encode()).decode()

    def get(self, path: str) -> Any:
        """The decoded JSON under /api/`path`."""
        return self._request("GET", path, None)

    def put(self, path: str, body: dict[str, object]) -> None:
        self._request("PUT", path, body)

    def delete(self, path: str) -> None:
        self._request("DELETE", path, None)

    def answers(self) -> bool:
        """Return True if the API and the broker behind it are up."""
        try:
            self.get("vhosts")
        except (OSError, HTTPException, ManagementRefused):
            return False
        return True

    def queue(self, url: str, name: str) -> dict[str, Any]:
        """What the broker knows of a queue in the vhost of `url`: type, messages_ready and so on."""
        found: dict[str, Any] = self.get(f"queues/{url.rsplit('/', 1)[1]}/{quote(name, safe='')}")
        return found

    def has_alarm(self) -> bool:
        """Return True if the node has raised its memory or disk alarm, which blocks publishers."""
        try:
            self.get("health/checks/local-alarms")
        except ManagementRefused as error:
            if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                return True
            raise
        return False

    def _request(self, method: str, path: str, body: dict[str, object] | None) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=limits.management_request_s)
        headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
        try:
            connection.request(method, f"/api/{path}", None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise ManagementRefused(f"{method} /api/{path}", response.status, text.decode(errors="replace"))
        return json.loads(text) if text else None
