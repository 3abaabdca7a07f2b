"""Every address has a guard, or is public on purpose; every operation has a name of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from functions import listing
from functions.http import health, runtime, web
from functions.http.operations import Operation, Operations
from models.kernel.settings import Settings

FUNCTIONS = [function.name for function in listing.FUNCTIONS]

# For anybody, with the reason. What is not here needs a signed-in caller.
EVERYWHERE_PUBLIC = {
    "GET /healthz": "probes have no account",
    "GET /readyz": "probes have no account",
    "GET /healthz/deep": "proves itself by MONITOR_TOKEN",
    "GET /metrics": "proves itself by MONITOR_TOKEN; labels are bounded sets",
    "GET /openapi.json": "the contract is no secret",
    "GET /docs": "proves itself by MONITOR_TOKEN",
}
# A function of pages has no OpenAPI document.
FRONTS, DOCUMENTS = {"console"}, {"GET /openapi.json", "GET /docs"}
PUBLIC: dict[str, dict[str, str]] = {
    "gateway": {
        "GET /.well-known/jwks.json": "public keys are made to be published",
        "POST /v1/auth/tokens": "signing in is how one becomes known",
        "POST /v1/auth/second_factors": "the challenge that follows the password is the proof",
        "POST /v1/auth/enrolments/totp": "the challenge that follows the password is the proof",
        "POST /v1/auth/enrolments/totp/confirmation": "the challenge that follows the password is the proof",
        "POST /v1/auth/enrolments/passkey": "the challenge that follows the password is the proof",
        "POST /v1/auth/enrolments/passkey/confirmation": "the challenge that follows the password is the proof",
        "POST /v1/auth/passkeys/challenges": "signing in is how one becomes known",
        "POST /v1/auth/passkeys": "the passkey is the proof",
        "POST /v1/auth/oidc/authorizations": "signing in is how one becomes known",
        "POST /v1/auth/oidc/tokens": "the provider's code is the proof",
        "POST /v1/auth/password_resets": "who forgot the password cannot sign in; it says the same to everybody",
        "POST /v1/auth/passwords": "the link in the desk's mail is the proof",
        "POST /v1/auth/tokens/refresh": "the refresh token is the proof",
        "GET /v1/ratings/{token}": "the link in the requester's message is the proof",
        "POST /v1/ratings/{token}": "the link in the requester's message is the proof",
        "GET /v1/rating_pages/{token}": "the link in the requester's message is the proof",
        "POST /v1/rating_pages/{token}": "the link in the requester's message is the proof",
        "GET /files/{token}": "a browser follows a link without headers; the link is signed, and dies in minutes",
    },
    "webhooks": {
        "HEAD /webhooks/{channel}/{account}": "tells nothing but that the function is there",
        "POST /webhooks/{channel}/{account}": "the provider proves itself by the channel's own means",
    },
    "tick": {"POST /tick": "proves itself by TICK_TOKEN"},
    "console": {
        "GET /static/{release}/{name}": "styles and scripts are no secret",
        "GET /sign-in": "signing in is how one becomes known",
        "POST /sign-in": "signing in is how one becomes known",
        "POST /sign-in/second-factor": "the challenge that follows the password is the proof",
        "POST /sign-in/enrolment": "the challenge that follows the password is the proof",
        "GET /sign-in/company": "signing in is how one becomes known",
        "GET /oidc/callback": "the provider's code and the challenge of this browser are the proof",
        "POST /look/language": "the language of the sign-in page, in a cookie",
        "GET /portal/sign-in": "a requester asks for a link",
        "POST /portal/sign-in": "a requester asks for a link; every address gets the same answer",
        "GET /portal/links/{token}": "the link in a requester's mail; opening it signs nobody in",
        "POST /portal/links": "the token of the link in a requester's mail is the proof",
        "POST /portal/sign-out": "ends the session of its own cookie",
        # Requesters are no users: visits.with_visitor and forms.post find the session of the portal's cookie.
        "GET /portal": "for requesters, by the portal's session",
        "GET /portal/new": "for requesters, by the portal's session",
        "GET /portal/new/{type}": "for requesters, by the portal's session",
        "POST /portal/new/{type}": "for requesters, by the portal's session and its form token",
        "GET /portal/requests/{number}": "for requesters, by the portal's session",
        "GET /portal/requests/{number}/files/{attachment}": "for requesters, by the portal's session",
        "POST /portal/requests/{number}/messages": "for requesters, by the portal's session and its form token",
        "POST /portal/requests/{number}/transitions": "for requesters, by the portal's session and its form token",
        "POST /portal/requests/{number}/rating": "for requesters, by the portal's session and its form token",
    },
}
# For every signed-in caller, whatever the role.
ANY_ROLE = {
    "DELETE /v1/auth/tokens/current": "ends one's own session",
    "GET /v1/me": "tells about oneself",
    "GET /v1/me/sessions": "tells about oneself",
    "DELETE /v1/me/sessions": "ends one's own sessions",
    "DELETE /v1/me/sessions/{session}": "ends one's own session",
    "POST /v1/auth/reauthentication": "proves one's own password",
    "GET /v1/me/second_factors": "tells about oneself",
    "POST /v1/me/second_factors/totp": "changes one's own sign-in, with the password",
    "POST /v1/me/second_factors/totp/confirmation": "changes one's own sign-in, after a step with the password",
    "POST /v1/me/second_factors/passkey": "changes one's own sign-in, with the password",
    "POST /v1/me/second_factors/passkey/confirmation": "changes one's own sign-in, after a step with the password",
    "POST /v1/me/second_factors/{factor}/removal": "changes one's own sign-in, with the password",
    "POST /v1/me/recovery_codes": "changes one's own sign-in, with the password",
    "POST /v1/me/password": "changes one's own password, with the current one",
    "GET /": "leads to the first page of the caller",
    "GET /more": "the caller's navigation",
    "GET /palette": "the caller's navigation; finds tickets only with the permission to read them",
    "GET /styleguide": "the components, in the demo only",
    "POST /look": "theme and density, in a cookie",
    "POST /sign-out": "ends one's own session",
    "GET /me": "tells about oneself",
    "POST /me/language": "changes one's own language",
    "POST /me/sessions": "ends one's own sessions",
    "POST /me/password": "changes one's own password, with the current one",
    "POST /me/second-factor": "changes one's own sign-in, with the password",
    "POST /me/second-factor/confirmation": "changes one's own sign-in, after a step with the password",
    "POST /me/second-factor/removal": "changes one's own sign-in, with the password",
    "POST /me/recovery-codes": "changes one's own sign-in, with the password",
}


@pytest.fixture(params=FUNCTIONS)
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[Operation]]:
    """A function and everything that it serves, health and documents included."""
    config = Settings(secret_key="a key of forty-two characters for the test", database_url="sqlite:///:memory:")
    collected: list[Operation] = []
    complete: list[Operations] = []
    add = health.add

    def remember(operations: Operations, function: str, config: Settings, *, backlog: bool) -> None:
        add(operations, function, config, backlog=backlog)
        complete.append(operations)

    monkeypatch.setattr(health, "add", remember)
    monkeypatch.setattr(runtime, "start", lambda function: config)
    module: Any = __import__(f"functions.{request.param}.app", fromlist=["create_app"])
    assert module.web is web
    module.create_app()
    collected.extend(complete[0].all)
    return request.param, collected


def name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def test_what_is_public_is_public_on_purpose(served: tuple[str, list[Operation]]) -> None:
    """An address that was forgotten is an address for everybody; this list is where one says so, with the reason."""
    function, operations = served

    everywhere = EVERYWHERE_PUBLIC if function not in FRONTS else EVERYWHERE_PUBLIC.keys() - DOCUMENTS
    assert {name(o) for o in operations if o.public} == {*everywhere, *PUBLIC.get(function, {})}


def test_what_is_not_public_names_the_permission_that_it_needs(served: tuple[str, list[Operation]]) -> None:
    """Being signed in is not a permission: an accountant must not reply to tickets because nobody thought of it."""
    _, operations = served

    without = {name(o) for o in operations if not o.public and o.needs is None}

    assert without <= set(ANY_ROLE)
    assert not [name(o) for o in operations if o.public and o.needs is not None]


def test_operations_have_names_of_their_own(served: tuple[str, list[Operation]]) -> None:
    """operationId names a client's method; two of one name overwrite each other in generated code."""
    _, operations = served

    assert [n for n, count in Counter(o.handler.__name__ for o in operations).items() if count > 1] == []


def test_operations_tell_what_they_do(served: tuple[str, list[Operation]]) -> None:
    """The summary is the headline of the readable page."""
    _, operations = served

    assert [name(o) for o in operations if not o.summary or not o.answers] == []


def test_a_body_has_a_bound_and_a_change_by_id_needs_the_version(served: tuple[str, list[Operation]]) -> None:
    """PATCH and PUT without If-Match overwrite somebody's change unseen; raw bodies must not be of any size."""
    _, operations = served

    assert [name(o) for o in operations if o.raw is not None and o.body_bytes_max <= 0] == []
    assert [name(o) for o in operations if o.method == "PATCH" and not o.etag] == []


def test_handlers_name_the_types_of_their_body_and_query(served: tuple[str, list[Operation]]) -> None:
    """mypy checks `call.body.x` only in a handler that names the type; `Any` would turn the check off."""
    _, operations = served

    annotations = {name(o): str(next(iter(o.handler.__annotations__.values()))) for o in operations}

    assert {at: shown for at, shown in annotations.items() if "Any" in shown or not shown.startswith("Call")} == {}
