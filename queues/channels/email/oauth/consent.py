"""The first refresh token of a mailbox, by the consent of a person in a browser.

The device flow (RFC 8628) is used where the authorization server offers it. The other flow prints an address; after the
consent, the browser's address bar has a code, which the operator enters (RFC 6749 section 4.1, RFC 7636, RFC 8252
section 7.3). No server listens for the code, so the command also works on a machine without a browser.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from models.channels.accounts import ChannelAccount
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from queues.channels.email.oauth import endpoint, limits
from queues.channels.email.oauth.client import Client, client_of
from queues.channels.email.oauth.endpoint import Grant, Pending

Tell = Callable[[str], None]
Ask = Callable[[str], str]

# Nothing listens here: only the address is needed. Microsoft and Google accept every port of this machine.
REDIRECT_URI = "http://localhost:8976/"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def authorize(
    account: ChannelAccount, settings: Settings, tell: Tell, ask: Ask, *, pause: Callable[[float], None] = time.sleep
) -> Grant:
    """Ask a person for consent. Returns tokens that are not stored yet. Raises ConfigurationError, TransientFailure."""
    client = client_of(account, settings)
    if client.grant != "refresh_token":
        raise ConfigurationError(
            f"oauth.grant: {client.grant} needs no consent in a browser; the admin of the"
            " tenant gives the application its rights"
        )
    if client.device_url:
        grant = _by_device(client, tell, pause)
    elif client.authorize_url:
        grant = _by_code(client, tell, ask)
    else:
        raise ConfigurationError("oauth: expected device_url or authorize_url, or a `service`")
    if grant.refresh_token is None:
        raise ConfigurationError(
            "the authorization server gave no refresh token: check oauth.scopes (`offline_access`) and the"
            " application's settings"
        )
    return grant


def _by_device(client: Client, tell: Tell, pause: Callable[[float], None]) -> Grant:
    code = endpoint.device_code(client.device_url, {**client.identity(), "scope": " ".join(client.scopes)})
    tell(f"Open {code.url} in a browser, enter the code {code.user_code}, and sign in as {client.user}.")
    form = {"grant_type": _DEVICE_GRANT, "device_code": code.device_code, **client.identity()}
    interval_s, waited_s = code.interval_s, 0.0
    while waited_s < min(code.expires_in_s, limits.consent_s_max):
        pause(interval_s)
        waited_s += interval_s
        try:
            return endpoint.token(client.token_url, form)
        except Pending as error:
            interval_s += limits.slower_s if error.slower else 0.0
    raise ConfigurationError("the code has expired before anybody confirmed it")


def _by_code(client: Client, tell: Tell, ask: Ask) -> Grant:
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": " ".join(client.scopes),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "login_hint": client.user,
        **dict(client.consent_parameters),
    }
    tell(f"Open this address in a browser, and sign in as {client.user}:")
    tell(f"{client.authorize_url}?{urlencode(query)}")
    tell("The browser then shows an error page at an address that begins with " + REDIRECT_URI)
    code = _code(ask("Paste that whole address: "), state)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": verifier,
        **client.identity(),
    }
    return endpoint.token(client.token_url, form)


def _code(pasted: str, state: str) -> str:
    """Return the code of the pasted address. Raises ConfigurationError for another address."""
    try:
        query = {name: values[0] for name, values in parse_qs(urlsplit(pasted.strip()).query).items()}
    except ValueError:
        query = {}
    if not secrets.compare_digest(query.get("state", "").encode(), state.encode()):
        raise ConfigurationError("this is not the address of this consent: expected the `state` of the printed address")
    if "error" in query:
        raise ConfigurationError(f"the authorization server answered {query['error'][:60]!r}: it gave no code")
    if not query.get("code"):
        raise ConfigurationError("the address has no code")
    return query["code"]
