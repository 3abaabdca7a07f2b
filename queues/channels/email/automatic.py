"""Which mail no person has written (INGRESS 1.4): it gets no acknowledgement and reopens nothing, so that two desks
answering each other stop by themselves."""

from __future__ import annotations

import hashlib
import hmac
import re

from models.inbox.port import Automatic
from models.kernel import settings
from queues.channels.email.header_block import Headers, first_value

DESK_HEADER = "X-Nestor-Desk"

_BOUNCE_FROM = re.compile(r"(mailer-daemon|postmaster|mail-daemon|bounces?([+-].*)?)@")
_NO_REPLY_FROM = re.compile(r"(no-?reply|do-?not-?reply|no_reply|notifications?-noreply)([+-].*)?@")
_AUTO_HEADERS = (b"x-autoreply", b"x-autorespond", b"x-autoresponder", b"x-loop", b"x-auto-reply")


def desk_id(address: str) -> str:
    """The mark of this desk's mails from `address`. Keyed, so that nobody can pass a mail off as ours (which is read by nobody), and
    of the whole address, so that two desks of one domain read each other. With a new SECRET_KEY, mails that are under
    way lose it; From still shows them as ours."""
    key = settings.current().signing_key().encode()
    mark = hmac.new(key, f"nestor-desk:{address.strip().lower()}".encode(), hashlib.sha256)
    return mark.hexdigest()[:20]


def classify(
    headers: Headers, *, sender: str, account_address: str, envelope: dict[str, str], report_type: str | None
) -> Automatic | None:
    """What kind of machine has written; None for a person.

    `sender` is the From address in lower case; `report_type` is set for multipart/report ("" when it names none).
    """
    values = _Values(headers)
    if sender == account_address.strip().lower() or _bears_our_mark(values, account_address):
        return "own"
    if report_type == "disposition-notification":  # a read receipt: nothing failed
        return "auto_reply"
    if report_type is not None or values.has(b"x-failed-recipients") or _BOUNCE_FROM.match(sender):
        return "bounce"
    if _is_auto_reply(values, envelope):
        return "auto_reply"
    if _is_bulk(values, sender):
        return "bulk"
    return None


def _bears_our_mark(values: _Values, account_address: str) -> bool:
    found = values.text(DESK_HEADER.lower().encode())
    return found != "" and hmac.compare_digest(found.encode(), desk_id(account_address).encode())


class _Values:
    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self.names = frozenset(name for name, _ in headers)

    def has(self, name: bytes) -> bool:
        return name in self.names

    def text(self, name: bytes) -> str:
        """The first value in lower case; empty when there is none."""
        return (first_value(self._headers, name) or b"")[:500].decode("latin-1").strip().lower()


def _is_auto_reply(values: _Values, envelope: dict[str, str]) -> bool:
    submitted = re.split(r"[\s;(]", values.text(b"auto-submitted"), maxsplit=1)[0]
    if submitted not in ("", "no"):
        return True
    if values.text(b"x-auto-response-suppress") not in ("", "none"):
        return True
    if any(values.has(name) for name in _AUTO_HEADERS) or values.text(b"precedence") in (
        "auto_reply",
        "auto-reply",
    ):
        return True
    null_sender = values.has(b"return-path") and values.text(b"return-path") in ("", "<>")
    return null_sender or envelope.get("from", "unknown").strip() in ("", "<>")


def _is_bulk(values: _Values, sender: str) -> bool:
    if values.text(b"precedence") in ("bulk", "junk", "list"):
        return True
    return any(name.startswith(b"list-") for name in values.names) or _NO_REPLY_FROM.match(sender) is not None
