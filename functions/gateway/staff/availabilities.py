"""/v1/me/availability and /v1/users/{user}/availability: who is away, and how many tickets a user takes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from models.identity import queries as identity
from models.identity.rules import Permission
from models.kernel.errors import Conflict
from models.teams import availability
from models.teams.availability import Work

operations = Operations()


class Availability(msgspec.Struct):
    """The work that a user takes. `away_until` is null for a user who is not away; `capacity` is null without a bound
    on the open tickets that automatic assignment gives.
    """

    user_id: UUID
    away_until: datetime | None
    capacity: int | None


class Absence(msgspec.Struct, forbid_unknown_fields=True):
    """The end of the caller's absence; null ends it now."""

    away_until: Annotated[datetime, msgspec.Meta(tz=True)] | None


class AvailabilityWanted(msgspec.Struct, forbid_unknown_fields=True):
    """The absence and the capacity of a user."""

    away_until: Annotated[datetime, msgspec.Meta(tz=True)] | None
    capacity: Annotated[int, msgspec.Meta(ge=0, le=availability.capacity_max)] | None


def _me(call: AnyCall) -> UUID:
    """The user whose availability it is. Raises Conflict for an API key."""
    if call.caller.kind != "user":
        raise Conflict("An API key is never away; sign in as a user.")
    return call.caller.id


def _shown(user_id: UUID) -> Answer:
    work = availability.of_user(user_id)
    return Answer(Availability(user_id, work.away_until, work.capacity))


def _user(call: AnyCall) -> UUID:
    return identity.get_user(pages.id_of(call.params["user"], "user")).id


@operations.add(
    "PUT",
    "/v1/me/availability",
    summary="Set one's own absence",
    needs=Permission.tickets_write,
    body=Absence,
    answers={200: Availability},
    problems=(409,),
)
def set_own(call: Call[Absence]) -> Answer:
    """Until that instant, nobody gives the caller new tickets, except for the caller. The caller's tickets stay."""
    user_id = _me(call)
    availability.store(user_id, Work(call.body.away_until, availability.of_user(user_id).capacity))
    return _shown(user_id)


@operations.add(
    "GET",
    "/v1/users/{user}/availability",
    summary="Get a user's availability",
    needs=Permission.colleagues_read,
    answers={200: Availability},
    problems=(404,),
)
def read_of_user(call: Call) -> Answer:
    """Colleagues see who is away."""
    return _shown(_user(call))


@operations.add(
    "PUT",
    "/v1/users/{user}/availability",
    summary="Set a user's availability",
    needs=Permission.users_manage,
    body=AvailabilityWanted,
    answers={200: Availability},
    problems=(404,),
)
def set_of_user(call: Call[AvailabilityWanted]) -> Answer:
    """`capacity` bounds the open tickets that automatic assignment gives; people may give more on purpose."""
    user_id = _user(call)
    availability.store(user_id, Work(call.body.away_until, call.body.capacity))
    return _shown(user_id)
