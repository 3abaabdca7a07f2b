"""/sign-in/company and /oidc/callback: sign in by an OpenID provider.

The start is a link and no form: the policy `form-action 'self'` would stop the way to the provider. The challenge waits
in a cookie of the browser that began, so a response that somebody else carries here counts for nothing.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, unquote

import msgspec

from functions.console.door.sign_in import Address, show_door
from functions.console.frame import cookies
from functions.console.frame.pages import Pages, own_address, see
from functions.http import oidc_issuer
from functions.http.operations import Answer, Call
from models import migrations
from models.credentials import challenges, id_tokens, oidc_provider, oidc_sign_in
from models.credentials.oidc_provider import OidcRefused
from models.kernel import limits, settings
from models.kernel.telemetry import logs

pages = Pages()
operations = pages.operations
log = logs.get("oidc")


class CompanyQuery(msgspec.Struct):
    """`next`: the page to show after the sign-in."""

    next: Address = "/"


class CallbackQuery(msgspec.Struct):
    """The parameters with which the provider sends the browser back (OpenID Connect Core, section 3.1.2.5)."""

    state: Annotated[str, msgspec.Meta(max_length=200)] = ""
    code: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    iss: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    error: Annotated[str, msgspec.Meta(max_length=200)] = ""
    error_description: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    session_state: Annotated[str, msgspec.Meta(max_length=500)] = ""
    scope: Annotated[str, msgspec.Meta(max_length=2000)] = ""


@pages.get("/sign-in/company", "Sign in by an OpenID provider", query=CompanyQuery, public=True, calls_out=True)
def start_company_sign_in(call: Call[None, CompanyQuery]) -> Answer:
    """Leads to the provider."""
    migrations.check_once()
    config = settings.current()
    provider = oidc_provider.configured()
    token, url = oidc_sign_in.begin(provider, oidc_issuer.issuer_of(provider).metadata(), client=call.client)
    kept = f"{token}.{quote(own_address(call.query.next), safe='')}"
    return see(url, cookies.made(cookies.ATTEMPT, kept, config, max_age_s=round(limits.challenge_s)))


@pages.get("/oidc/callback", "Come back from the OpenID provider", query=CallbackQuery, public=True, calls_out=True)
def finish_company_sign_in(call: Call[None, CallbackQuery]) -> Answer:
    """Only the browser that started the sign-in has its challenge, which ends with the first response."""
    migrations.check_once()
    config, query = settings.current(), call.query
    token, _dot, target = (cookies.read(call.request, cookies.ATTEMPT, config) or "").partition(".")
    to = own_address(unquote(target))
    provider = oidc_provider.configured()
    issuer = oidc_issuer.issuer_of(provider)
    try:
        attempt = oidc_sign_in.use(token, query.state)
        oidc_provider.check_issuer(query.iss, provider, issuer.metadata())
        claims = id_tokens.verify(
            issuer.exchange(query.code, attempt.code_verifier), provider, nonce=attempt.nonce, find_key=issuer.key
        )
        pair = oidc_sign_in.finish(claims, provider, client=call.client)
    except (OidcRefused, challenges.ChallengeEnded) as error:
        log.warning("oidc_refused", reason=error.message)
        return show_door(call, to=to, refused=True, status=error.http_status)
    gone = cookies.made(cookies.ATTEMPT, "", config, max_age_s=0)
    return see(to, *cookies.of_session(pair, config), gone)
