"""Facts about a person that a channel knows, such as a phone number that the person shared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.infomodel import published, values
from models.infomodel.normal_form import Lookups
from models.kernel import clock
from models.kernel.errors import Invalid
from models.requesters.tables import Requester


def learn(requester: Requester, facts: Mapping[str, Any], *, lookups: Lookups) -> None:
    """Fill empty fields of a requester with the facts that fit the model. Joins the caller's transaction.

    A value that somebody set is never replaced, and a fact that does not fit is left out: it must not refuse the
    message that brought it.
    """
    entity = published.entity("requester")
    if entity is None:
        return
    after = dict(requester.fields)
    for name, value in facts.items():
        if name not in entity.fields or name in after or value in values.MISSING:
            continue
        try:
            after = values.validated(
                entity,
                {name: value},
                before=after,
                role="automation",
                view=None,
                complete=False,
                fresh=False,
                people=lookups.people,
                tickets=lookups.tickets,
            )
        except Invalid:
            continue
    learned = sorted(after.keys() - requester.fields.keys())
    if not learned:
        return
    requester.fields = after
    changes = {Requester.fields: after, Requester.version: Requester.version + 1, Requester.updated_at: clock.now()}
    Requester.update(changes).where(Requester.id == requester.id).execute()
    audit.record(
        AuditAction.requester_updated,
        "requester",
        requester.id,
        after={"changed": [f"fields.{name}" for name in learned]},
    )
