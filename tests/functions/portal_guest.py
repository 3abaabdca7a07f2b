"""A guest of the portal in tests: sends forms as a page of the desk does, and keeps the session's cookie."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from falcon import testing

from functions.console.portal.visits import COOKIE
from tests.desk import Desk
from tests.models.portal.visiting import ADA, mailed

OURS = {"Sec-Fetch-Site": "same-origin"}
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "b0undary"


class Guest:
    """The browser of a requester: keeps the portal's cookie, and sends forms as a page of the desk does."""

    def __init__(self, app: Any) -> None:
        self._client = testing.TestClient(app)
        self.session: str | None = None

    def get(self, path: str, **headers: str) -> testing.Result:
        return self._client.simulate_get(path, headers=self._cookie() | headers)

    def post(self, path: str, **fields: str) -> testing.Result:
        return self._post(path, fields, OURS)

    def post_from_elsewhere(self, path: str, **fields: str) -> testing.Result:
        """Send a form as a page of another site does."""
        return self._post(path, fields, {"Sec-Fetch-Site": "cross-site"})

    def _post(self, path: str, fields: dict[str, str], more: dict[str, str]) -> testing.Result:
        headers = {"Content-Type": FORM, **self._cookie(), **more}
        return self._remembered(self._client.simulate_post(path, headers=headers, body=urlencode(fields)))

    def post_parts(self, path: str, parts: list[tuple[str, str | None, bytes]]) -> testing.Result:
        """Send a form with files, in this order: name, file name, content."""
        body = b""
        for name, filename, content in parts:
            file = "" if filename is None else f'; filename="{filename}"\r\nContent-Type: image/png'
            body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
            body += content + b"\r\n"
        body += f"--{BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **self._cookie(), **OURS}
        return self._remembered(self._client.simulate_post(path, headers=headers, body=body))

    def csrf(self, path: str) -> str:
        """The token of the form on a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return found[1]

    def sign_in(self, desk: Desk, address: str = ADA) -> Guest:
        (token,) = mailed(desk, address)
        assert self.post("/portal/links", token=token).status_code == 303
        return self

    def open_request(self, desk: Desk, title: str = "Printer") -> int:
        """Open a question; its number."""
        csrf = self.csrf("/portal/new/question")
        made = self.post("/portal/new/question", csrf=csrf, title=title, description="E-41", shown="product")
        assert made.status_code == 303, made.text
        desk.run_due()
        return int(made.headers["location"].rpartition("/")[2])

    def _cookie(self) -> dict[str, str]:
        return {} if self.session is None else {"Cookie": f"{COOKIE}={self.session}"}

    def _remembered(self, found: testing.Result) -> testing.Result:
        if COOKIE in found.cookies:
            self.session = found.cookies[COOKIE].value or None
        return found
