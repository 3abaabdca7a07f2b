"""The JSON of stored payloads of requesters and organisations; %s is the id."""

from __future__ import annotations

from uuid import UUID

from models.events import people_payloads
from models.events.payload import EventPayload

SESSION = UUID("0193a1b2-0000-7000-8000-000000000001")
PEOPLE: list[tuple[EventPayload, str]] = [
    (people_payloads.RequesterCreated(organisation_id=None), '{"organisation_id":null}'),
    (people_payloads.RequesterUpdated(changed=["fields.phone", "name"]), '{"changed":["fields.phone","name"]}'),
    (
        people_payloads.RequesterUpdated(changed=["organisation_id"], organisation_id=None),
        '{"changed":["organisation_id"],"organisation_id":null}',
    ),
    (people_payloads.RequestersMerged(merge_id=SESSION, source_id=SESSION), '{"merge_id":"%s","source_id":"%s"}'),
    (people_payloads.RequesterMergeUndone(merge_id=SESSION, source_id=SESSION), '{"merge_id":"%s","source_id":"%s"}'),
    (people_payloads.RequesterErased(), "{}"),
    (people_payloads.OrganisationCreated(name="Firm"), '{"name":"Firm"}'),
    (people_payloads.OrganisationUpdated(changed=["domains"]), '{"changed":["domains"]}'),
    (people_payloads.OrganisationDeleted(), "{}"),
]
