"""The register: the members of event and task payloads that hold texts of people, by name.

A member has one meaning in all payloads. `TEXTS` are emptied by an erasure; `CONTAINERS` are searched for them;
`PLAIN` hold names of the configuration, words of closed lists, numbers and ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.kernel.open_json import JsonObject
from models.kernel.text import ERASED

TEXTS: Final = frozenset(
    {
        "address",
        "changes",
        "comment",
        "description",
        "detail",
        "error",
        "external_id",
        "fields",
        "note",
        "payload",
        "previous_body",
        "reason",
        "reasons",
        "recipient",
        "sha256",
        "subject",
        "text",
        "title",
        "values",
    }
)
CONTAINERS: Final = frozenset({"wanted"})
PLAIN: Final = frozenset(
    {
        "choices",  # labels of the configuration
        "question",  # an id and a number
        "account",
        "actor_id",
        "actor_kind",
        "actor_name",  # a user's
        "automatic",
        "based_on",
        "by",
        "changed",
        "channel",
        "client",
        "condition",
        "consumer",
        "currency",
        "delivery_ids",
        "replaced_attachments",
        "effect",
        "email",  # a user's
        "event",
        "event_types",
        "field",
        "from",
        "how",
        "choice",
        "issuer",
        "kind",
        "link",
        "locale",
        "message_ids",
        "promises",  # names of promises
        "name",  # a user's, a key's, an organisation's, or a word of a life cycle
        "outcome",
        "permissions",
        "priority",
        "role",
        "rule",
        "scope",
        "scopes",
        "signal",
        "source",
        "source_id",  # of a ticket in its former system
        "state",
        "tags",
        "target",
        "team",
        "template",
        "timer",
        "timers",
        "to",
        "transition",
        "type",
        "user",
        "users",
        "vote",
        "way",
        "webhook",
        "workflow",
    }
)


def emptied(payload: Mapping[str, Any]) -> JsonObject:
    """Return the payload with its texts emptied. Each keeps its JSON type, so that readers still work."""
    return {
        key: _blank(value)
        if key in TEXTS
        else emptied(value)
        if key in CONTAINERS and isinstance(value, Mapping)
        else value
        for key, value in payload.items()
    }


def _blank(value: Any) -> Any:
    if isinstance(value, str):
        return ERASED
    if isinstance(value, Mapping):
        return {}
    return [] if isinstance(value, list) else None
