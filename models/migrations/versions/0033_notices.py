"""Notices by mail and chat: kinds of notices, the settings of users, and the deliveries of notices by their ways."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [
        "ALTER TABLE notices ADD COLUMN kind text NOT NULL DEFAULT 'life_cycle'",
        "ALTER TABLE notices ADD COLUMN event_id {id}",
        "ALTER TABLE notices ADD COLUMN message_id {id}",
        "UPDATE notices SET kind = 'mentioned' WHERE rule = 'mentioned'",
        "UPDATE notices SET kind = 'desk' WHERE ticket_id IS NULL",
        # A user gets one notice of an event.
        "CREATE UNIQUE INDEX notices_event ON notices (user_id, event_id)",
        """CREATE TABLE notice_settings (user_id {id} PRIMARY KEY REFERENCES users (id), ways {json} NOT NULL,
            quiet_hours {json}, digest {json} NOT NULL, digest_at text NOT NULL, time_zone text,
            wants_work_without_team boolean NOT NULL, updated_at {instant} NOT NULL)""",
        "CREATE INDEX notice_settings_work ON notice_settings (user_id) WHERE wants_work_without_team",
        """CREATE TABLE notice_deliveries (id {id} PRIMARY KEY, notice_id {id} NOT NULL REFERENCES notices (id),
            user_id {id} NOT NULL REFERENCES users (id), way text NOT NULL, state text NOT NULL,
            due_at {instant} NOT NULL, batch_id {id}, error text, created_at {instant} NOT NULL,
            finished_at {instant})""",
        "CREATE UNIQUE INDEX notice_deliveries_way ON notice_deliveries (notice_id, way)",
        "CREATE INDEX notice_deliveries_waiting ON notice_deliveries (user_id, way, due_at) WHERE state = 'waiting'",
        "CREATE INDEX notice_deliveries_batch ON notice_deliveries (batch_id)",
        "CREATE INDEX notice_deliveries_created ON notice_deliveries (created_at)",
        # Answers by mail to notices: the same answer through two mailboxes counts once.
        """CREATE TABLE notice_answers (mail_id {id} NOT NULL, external_id text NOT NULL, ticket_id {id} NOT NULL,
            message_id {id} NOT NULL, created_at {instant} NOT NULL, PRIMARY KEY (mail_id, external_id))""",
        "CREATE INDEX notice_answers_created ON notice_answers (created_at)",
        # The account whose chat connected the address: only it can write there.
        "ALTER TABLE user_addresses ADD COLUMN account text",
        "ALTER TABLE user_links ADD COLUMN asked_account text",
    ]
