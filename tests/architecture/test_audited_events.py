"""Every event that is not a ticket's has an audited action of the same name.

`models/events/audit_trail.py` turns the event's type into the action at run time. The commands of requesters and
organisations record the action themselves.
"""

from __future__ import annotations

from models.audit.actions import AuditAction
from models.events import desk_payloads, people_payloads
from models.events.payload import EventPayload, type_of


def test_every_event_of_the_desk_is_an_audited_action() -> None:
    kinds = [
        kind
        for module in (desk_payloads, people_payloads)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, EventPayload) and kind is not EventPayload
    ]

    assert len(kinds) > 10, "the test finds the payloads"
    assert [type_of(kind) for kind in kinds if type_of(kind) not in set(AuditAction)] == []
