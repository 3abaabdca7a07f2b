"""SendGrid's requests: forms for mails, JSON lists for events. Authenticated by a signature or by a header."""

from __future__ import annotations

import json
from collections.abc import Mapping

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest, Received, ReceivedEvent
from queues.channels.email.mail_key import mail_key
from queues.channels.email.providers import auth, documents, forms, raw_request
from queues.channels.email.providers.documents import Document, Unreadable
from queues.channels.email.providers.forms import Form
from queues.channels.email.providers.sendgrid import signature

# What stays the same when SendGrid posts a mail again; its form has another boundary then.
_TELLING = ("headers", "from", "subject", "text", "html")


def authenticate(
    headers: Mapping[str, str], query: Mapping[str, str], account: ChannelAccount, settings: Settings
) -> bool:
    """The header's credential, where the account has one; the signature is checked as well where it has a key."""
    signs = bool(account.config.get("signing_key"))
    return auth.by_header(headers, account, settings, required=not signs) and not signs


def verify(request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
    """Raises Unauthenticated."""
    signature.verify(request, account.credential("signing_key", settings))


def receive(request: IngressRequest, account: ChannelAccount) -> Received:
    """The one mail of a form, or the events of a list."""
    try:
        if forms.is_form(request.content_type):
            return Received((ReceivedEvent(_mail_key(request)),))
        told = documents.load(request.body)
        events = documents.objects(told)
        if not isinstance(told, list) or (told and not events):
            raise Unreadable("the body is JSON, but no list of events")
    except Unreadable as error:
        return Received((ReceivedEvent(documents.unreadable(request.body, error.message)),))
    return Received(documents.several(events, _event))


def _mail_key(request: IngressRequest) -> EventKey:
    form = forms.read(request.body)
    told = documents.part(_json(forms.text_of(form, "envelope")))
    envelope = raw_request.envelope(
        documents.text(told["from"]) if "from" in told else None,
        ", ".join(documents.texts(told.get("to"))) or None,
    )
    # SendGrid checks SPF of the envelope sender, and each DKIM signature.
    envelope["spf"] = forms.text_of(form, "SPF").strip().lower() or "none"
    envelope["dkim"] = forms.text_of(form, "dkim").strip()
    score = forms.text_of(form, "spam_score").strip()
    if score:
        envelope["spam_score"] = score
    if "email" in form:
        return mail_key(form["email"].content(), envelope)
    if not form.keys() & {"headers", "from", "text", "html"}:
        raise Unreadable("the form holds no mail: it has none of SendGrid's fields")
    key = documents.message_key("sendgrid", _message_id(form), *(form[n].content() for n in _TELLING if n in form))
    return EventKey(key, documents.from_order(forms.text_of(form, "from")), envelope)


def _message_id(form: Form) -> str:
    for line in forms.text_of(form, "headers").splitlines()[:2_000]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "message-id":
            return value.strip()
    return ""


def _event(event: Document) -> ReceivedEvent:
    raw = json.dumps(event, sort_keys=True).encode()
    event_id = documents.text(event.get("sg_event_id"))
    named = (
        documents.key_of("sendgrid-event", event_id) if event_id else documents.message_key("sendgrid-event", "", raw)
    )
    order = documents.about_order(documents.text(event.get("sg_message_id")).partition(".")[0])
    return ReceivedEvent(EventKey(named, order), raw=raw, content_type="application/json")


def _json(told: str) -> object:
    try:
        return json.loads(told) if told else {}
    except (ValueError, RecursionError):
        return {}  # the mail's own headers say who it is from
