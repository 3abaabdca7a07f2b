"""Table of the notice settings of users."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class NoticeSettingsRow(Table):
    """The settings of a user who changed the defaults.

    `ways` holds the kinds that differ from the defaults. `wants_work_without_team` repeats a fact of `ways`, so that
    one indexed look-up tells if anybody wants a notice of a new ticket without a team.
    """

    user_id = IdField(primary_key=True)
    ways = JsonField()
    quiet_hours = JsonField(null=True)
    digest = JsonField()
    digest_at = peewee.TextField()
    time_zone = peewee.TextField(null=True)
    wants_work_without_team = peewee.BooleanField()
    follow_when_mentioned = peewee.BooleanField(default=False)
    updated_at = InstantField()

    class Meta:
        table_name = "notice_settings"
