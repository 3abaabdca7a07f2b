"""A browser for the console's application: cookies, forms, and no scripts."""

from __future__ import annotations

import re
from typing import Any, Self
from urllib.parse import urlencode

from falcon import testing

from tests.functions.callers import PASSWORD

OWN = {"Sec-Fetch-Site": "same-origin"}


class Browser:
    """A browser with cookies and nothing else."""

    def __init__(self, app: Any) -> None:
        self._client = testing.TestClient(app)
        self.jar: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> testing.Result:
        return self._ask("GET", path, headers=headers)

    def post(self, path: str, form: dict[str, str], *, headers: dict[str, str] | None = None) -> testing.Result:
        text = urlencode(form)
        sent = {"Content-Type": "application/x-www-form-urlencoded", **(OWN if headers is None else headers)}
        return self._ask("POST", path, headers=sent, body=text)

    def _ask(self, method: str, path: str, **more: Any) -> testing.Result:
        cookie = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        more["headers"] = {**more["headers"], **({"Cookie": cookie} if cookie else {})}
        result = self._client.simulate_request(method, path, **more)
        for name, one in result.cookies.items():
            if one.max_age == 0:
                self.jar.pop(name, None)
            else:
                self.jar[name] = one.value
        return result

    def sign_in(self, role: str = "agent") -> Self:
        result = self.post("/sign-in", {"email": f"{role}@example.test", "password": PASSWORD})
        assert result.status_code == 303, result.text
        return self

    def token(self) -> str:
        """The token of the forms of a page."""
        found = re.search(r'name="csrf" content="([^"]+)"', self.get("/me").text)
        assert found is not None
        return found[1]
