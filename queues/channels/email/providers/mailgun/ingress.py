"""Mailgun's requests: forms for mails, JSON for events. Its signature covers neither, only its own timestamp and token.

So a signature may be used for one request and its exact repeats only, until it is too old (`Received.nonce`).
"""

from __future__ import annotations

from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent
from queues.channels.email.mail_key import mail_key
from queues.channels.email.providers import auth, documents, forms, limits, raw_request
from queues.channels.email.providers.documents import Unreadable


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """Return False: `verify` checks the signature in the body."""
    return False


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """HMAC-SHA256 of timestamp and token, by the account's signing key or its parent's. Raises Unauthenticated."""
    key = account.credential("signing_key", settings)
    try:
        timestamp, token, given = _signature(request)
    except Unreadable as error:  # nothing in it proves who sent it
        raise auth.refused() from error
    auth.check_hmac(given, key, timestamp, token)
    auth.check_fresh(timestamp, past_s=_window_s(account), future_s=limits.mailgun_s)


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """Receive a mail or an event, with the token that must not be used again."""
    _, token, _ = _signature(request)
    return Received((ReceivedEvent(_key(request)),), nonce=(token, _window_s(account) + limits.mailgun_s))


def _window_s(account: ChannelAccount) -> float:
    """Return the maximum age of a signature. Its token is stored that long, so a longer window admits no replay."""
    return float(account.config.get("replay_window_s") or limits.mailgun_s)


def _signature(request: IngressRequest) -> tuple[str, str, list[str]]:
    """Return timestamp, token and signatures (a subaccount's event also has its parent's). Raises Unreadable."""
    if forms.is_form(request.content_type):
        form = forms.read(request.body)
        told = {name: _short(form, name) for name in ("timestamp", "token", "signature")}
        return told["timestamp"], told["token"], [told["signature"]]
    signature = documents.part(documents.load_unproved(request.body).get("signature"))
    given = [documents.text(signature.get(name)) for name in ("signature", "parent-signature")]
    return (
        documents.text(signature.get("timestamp")),
        documents.text(signature.get("token")),
        [one for one in given if one],
    )


def _short(form: forms.Form, name: str) -> str:
    """Return a field of the signature, bounded because the sender is not authenticated yet. Raises Unreadable."""
    found = form.get(name)
    if found is not None and found.end - found.start > limits.signature_field_bytes_max:
        raise Unreadable(f"the field {name} is longer than Mailgun's")
    return forms.text_of(form, name)


def _key(request: IngressRequest) -> EventKey:
    if not forms.is_form(request.content_type):
        return _event_key(request.body)
    form = forms.read(request.body)
    envelope = raw_request.envelope(forms.text_of(form, "sender"), forms.text_of(form, "recipient"))
    if "body-mime" in form:
        return mail_key(form["body-mime"].content(), envelope)
    if not form.keys() & {"from", "message-headers", "body-plain", "body-html"}:
        return documents.unreadable(request.body, "the form holds no mail: it has none of Mailgun's fields")
    told = (form[name].content() for name in ("from", "Date", "body-plain", "body-html") if name in form)
    key = documents.message_key("mailgun", forms.text_of(form, "Message-Id").strip(), *told)
    return EventKey(key, documents.from_order(forms.text_of(form, "from")), envelope)


def _event_key(body: bytes) -> EventKey:
    event = documents.part(documents.load_object(body).get("event-data"))
    event_id = documents.text(event.get("id"))
    if not event_id:
        return documents.unreadable(body, "the event has no event-data.id")
    headers = documents.part(documents.part(event.get("message")).get("headers"))
    return EventKey(
        documents.key_of("mailgun-event", event_id),
        documents.about_order(documents.text(headers.get("message-id"))),
    )
