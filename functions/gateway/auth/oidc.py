"""/v1/auth/oidc: sign in by an OpenID provider."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.gateway.auth.sign_in import Tokens, tokens_of
from functions.gateway.auth.sign_in_steps import Challenge
from functions.http import oidc_issuer
from functions.http.operations import Answer, Call, Idempotency, Operations
from models import migrations
from models.credentials import id_tokens, oidc_provider, oidc_sign_in
from models.credentials.oidc_provider import OidcRefused
from models.kernel import limits
from models.kernel.telemetry import logs

operations = Operations()
log = logs.get("oidc")


class OidcStart(msgspec.Struct):
    """A challenge that the client keeps, and the address to which it sends the browser."""

    challenge: str
    authorization_url: str
    expires_in_s: int


class OidcResponse(msgspec.Struct, forbid_unknown_fields=True):
    """The challenge, and the parameters with which the provider sent the browser back."""

    challenge: Challenge
    state: Annotated[str, msgspec.Meta(max_length=200)]
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    iss: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


@operations.add(
    "POST",
    "/v1/auth/oidc/authorizations",
    summary="Start to sign in by an OpenID provider",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    answers={201: OidcStart},
    problems=(404, 429),
)
def start_oidc_sign_in(call: Call) -> Answer:
    """The provider sends the browser back to `/oidc/callback` of PUBLIC_URL, with `code` and `state`."""
    migrations.check_once()
    provider = oidc_provider.configured()
    metadata = oidc_issuer.issuer_of(provider).metadata()
    token, url = oidc_sign_in.begin(provider, metadata, client=call.client)
    started = OidcStart(token, url, round(limits.challenge_s))
    return Answer(started, status=201, headers={"Cache-Control": "no-store"})


@operations.add(
    "POST",
    "/v1/auth/oidc/tokens",
    summary="Sign in by an OpenID provider",
    public=True,
    unlocked=True,
    idempotency=Idempotency.refused,
    body=OidcResponse,
    answers={201: Tokens},
    problems=(401, 404),
)
def finish_oidc_sign_in(call: Call[OidcResponse]) -> Answer:
    """Only the client that started the sign-in has its challenge, which ends with the first response."""
    migrations.check_once()
    provider, body = oidc_provider.configured(), call.body
    issuer = oidc_issuer.issuer_of(provider)
    try:
        attempt = oidc_sign_in.use(body.challenge, body.state)
        oidc_provider.check_issuer(body.iss, provider, issuer.metadata())
        token = issuer.exchange(body.code, attempt.code_verifier)
        claims = id_tokens.verify(token, provider, nonce=attempt.nonce, find_key=issuer.key)
        pair = oidc_sign_in.finish(claims, provider, client=call.client)
    except OidcRefused as error:
        log.warning("oidc_refused", reason=error.message)
        raise
    return tokens_of(pair, 201)
