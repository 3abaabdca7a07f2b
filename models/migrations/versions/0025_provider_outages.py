"""The beginning of an account's trouble, and the last failed send since the last accepted one."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        # `error_at` is of the present text; the trouble may have begun earlier with another one.
        "ALTER TABLE channel_health ADD COLUMN error_since {instant}",
        "ALTER TABLE channel_health ADD COLUMN sending_error text",
        "ALTER TABLE channel_health ADD COLUMN sending_failed_since {instant}",
        "UPDATE channel_health SET error_since = error_at WHERE error IS NOT NULL",
    ]
