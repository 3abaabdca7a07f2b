"""/v1/me/notice_settings: the ways and times of a user's notices. Admins read them at /v1/users/{user}."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec

from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from models.definitions import desk
from models.identity import queries as identity
from models.identity.rules import Permission
from models.kernel.errors import Conflict
from models.notice_settings import commands
from models.notice_settings.rules import (
    DEFAULT_DIGEST_AT,
    DEFAULT_WAYS,
    Digest,
    Kind,
    NoticeSettings,
    QuietHours,
    Way,
)
from models.notices import planning
from models.sla.working_time import Day

operations = Operations()

_Time = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?![\s\S])", examples=["08:00"])]
_Ways = Annotated[list[Way], msgspec.Meta(max_length=2)]
_Zone = Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["Europe/Berlin"])]


class QuietTime(msgspec.Struct, forbid_unknown_fields=True):
    """The local times at which no notice leaves: from `begins` to `ends` each day, and all day on `days`.

    `begins` may be later than `ends`; the quiet time then lasts over midnight.
    """

    begins: _Time
    ends: _Time
    days: Annotated[list[Day], msgspec.Meta(max_length=6)] = []


class NoticeSettingsShown(msgspec.Struct):
    """The ways and times of a user's notices. Every notice is in the user's list as well.

    `ways` names the ways of each kind of notice: `mail` is the user's address, `chat` the chat that the user connected.
    `digest` says for each way if notices leave at once, on each full hour (UTC), or once a day at `digest_at`.
    Times are local times of `time_zone`. With `follow_when_mentioned`, a ticket in which a note
    mentioned the user gives notices like one that the user follows.
    """

    ways: dict[Kind, list[Way]]
    quiet_hours: QuietTime | None
    digest: dict[Way, Digest]
    digest_at: str
    time_zone: str
    follow_when_mentioned: bool


class NewNoticeSettings(msgspec.Struct, forbid_unknown_fields=True):
    """The settings of a user as a whole. What is left out gets its default, also a kind or a way.

    The default time zone is the desk's.
    """

    ways: dict[Kind, _Ways] = {}
    quiet_hours: QuietTime | None = None
    digest: dict[Way, Digest] = {}
    digest_at: _Time = DEFAULT_DIGEST_AT
    time_zone: _Zone | None = None
    follow_when_mentioned: bool = False


@operations.add(
    "GET",
    "/v1/me/notice_settings",
    summary="Get the caller's notice settings",
    needs=Permission.tickets_read,
    answers={200: NoticeSettingsShown},
    problems=(409,),
)
def read_own_settings(call: Call) -> Answer:
    """Returns the defaults until the caller changes them. An API key has no settings."""
    return Answer(_shown(commands.of_user(_user_id(call))))


@operations.add(
    "PUT",
    "/v1/me/notice_settings",
    summary="Replace the caller's notice settings",
    needs=Permission.tickets_read,
    body=NewNoticeSettings,
    answers={200: NoticeSettingsShown},
    problems=(409,),
)
def replace_own_settings(call: Call[NewNoticeSettings]) -> Answer:
    """Notices that wait for the end of quiet hours or for a digest move to the new times."""
    user_id = _user_id(call)
    settings = _settings(call.body)
    planning.store_settings(user_id, settings)
    return Answer(_shown(settings))


@operations.add(
    "GET",
    "/v1/users/{user}/notice_settings",
    summary="Get a user's notice settings",
    needs=Permission.users_manage,
    answers={200: NoticeSettingsShown},
    problems=(404,),
)
def read_settings(call: Call) -> Answer:
    """Only the user changes them."""
    user_id = pages.id_of(call.params["user"], "user")
    identity.get_user(user_id)
    return Answer(_shown(commands.of_user(user_id)))


def _user_id(call: AnyCall) -> UUID:
    if call.caller.kind != "user":
        raise Conflict("An API key gets no notices; sign in as a user.")
    return call.caller.id


def _settings(body: NewNoticeSettings) -> NoticeSettings:
    quiet = body.quiet_hours
    return NoticeSettings(
        ways={**DEFAULT_WAYS, **{kind: frozenset(chosen) for kind, chosen in body.ways.items()}},
        quiet_hours=None if quiet is None else QuietHours(quiet.begins, quiet.ends, tuple(quiet.days)),
        digest={way: body.digest.get(way, Digest.none) for way in Way},
        digest_at=body.digest_at,
        time_zone=body.time_zone,
        desk_zone=desk.current().zone,
        follow_when_mentioned=body.follow_when_mentioned,
    )


def _shown(settings: NoticeSettings) -> NoticeSettingsShown:
    quiet = settings.quiet_hours
    return NoticeSettingsShown(
        ways={kind: sorted(settings.ways[kind]) for kind in Kind},
        quiet_hours=None if quiet is None else QuietTime(quiet.begins, quiet.ends, list(quiet.days)),
        digest=dict(settings.digest),
        digest_at=settings.digest_at,
        time_zone=settings.zone,
        follow_when_mentioned=settings.follow_when_mentioned,
    )
