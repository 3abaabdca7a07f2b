"""The types of a description; README.md explains each key. The webhook function loads this module: no heavy imports."""

from __future__ import annotations

from typing import Literal

import msgspec

from models.ports.inbound import ReceiptKind
from queues.described.vocabulary import Conditions, Expression, Signing


class Auth(Signing, kw_only=True):
    """The provider's proof. The account's file names the secret, under a key that depends on `kind`."""

    kind: Literal["hmac", "rsa", "bearer", "basic", "none_but_path"]


class HeaderFields(msgspec.Struct, forbid_unknown_fields=True):
    """The header fields of a mail: `each` finds them; name and value are evaluated for each one (`$` is the header)."""

    each: str
    name: Expression = "$.name"
    value: Expression = "$.value"


class File(msgspec.Struct, forbid_unknown_fields=True):
    """Files of a mail: `each` finds them; the other expressions are evaluated for each one (`$` is the file)."""

    each: str
    base64: Expression
    filename: Expression = "file"
    content_type: Expression = "application/octet-stream"
    content_id: Expression | None = None


class Fields(msgspec.Struct, forbid_unknown_fields=True):
    """A mail as fields; the desk puts it together again."""

    sender: Expression = msgspec.field(name="from")
    to: Expression | None = None
    cc: Expression | None = None
    reply_to: Expression | None = None
    subject: Expression | None = None
    date: Expression | None = None
    message_id: Expression | None = None
    in_reply_to: Expression | None = None
    references: Expression | None = None
    auto_submitted: Expression | None = None
    text: Expression | None = None
    html: Expression | None = None
    headers: HeaderFields | None = None
    files: list[File] = []


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """The SMTP envelope of a mail."""

    sender: Expression | None = msgspec.field(name="from", default=None)
    to: Expression | None = None


class Receipt(msgspec.Struct, forbid_unknown_fields=True):
    """A report about a mail of ours. `reference`: our Message-ID, or the provider's id of the mail."""

    kind: ReceiptKind
    reference: Expression
    recipient: Expression | None = None
    detail: Expression | None = None
    status: Expression | None = None
    # The address is not written to again.
    permanent: bool = False


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """One kind of event: a mail (raw, in base64, or as fields), a receipt, or nothing with a reason."""

    when: Conditions = {}
    mail: Expression | None = None
    mail_base64: Expression | None = None
    fields: Fields | None = None
    receipt: Receipt | None = None
    ignore: str | None = None
    envelope: Envelope | None = None
    event_key: Expression | None = None


class Description(msgspec.Struct, forbid_unknown_fields=True):
    """The proof of a provider's requests, and the places of mails and receipts in them."""

    title: str
    auth: Auth
    events: list[Rule]
    body: Literal["json", "form"] = "json"
    # The field of the form, or of the JSON object, whose text is JSON.
    json_field: str | None = None
    items: str | None = None
    unmatched: Literal["failed", "ignored"] = "failed"


# The key of the account's file that names the secret of each kind.
SECRETS: dict[str, str] = {
    "hmac": "signing_key",
    "rsa": "signing_key",
    "bearer": "bearer",
    "basic": "basic",
    "none_but_path": "path_id",
}
