"""The audit trail: append-only entries, and the record of their retention."""

from __future__ import annotations

from models.kernel.storage.dialect import Dialect


def statements(dialect: Dialect) -> list[str]:
    return [*_TABLES, *(_POSTGRES_TRIGGERS if dialect.postgres else _SQLITE_TRIGGERS)]


_TABLES = [
    """CREATE TABLE audit_entries (serial {serial}, at {instant} NOT NULL, action text NOT NULL, outcome text NOT NULL,
        reason text, actor_kind text NOT NULL, actor_id text, object_kind text NOT NULL, object_id text, address text,
        user_agent text, request_id text, before {json}, after {json})""",
    "CREATE INDEX audit_entries_at ON audit_entries (at)",
    "CREATE INDEX audit_entries_action ON audit_entries (action, serial)",
    "CREATE INDEX audit_entries_actor ON audit_entries (actor_id, serial)",
    "CREATE INDEX audit_entries_object ON audit_entries (object_id, serial)",
    """CREATE TABLE audit_retentions (serial {serial}, before {instant} NOT NULL, started_at {instant} NOT NULL,
        finished_at {instant}, started_by text NOT NULL, deleted bigint)""",
]

_PERMITTED = "SELECT 1 FROM audit_retentions WHERE finished_at IS NULL AND before > OLD.at"

_POSTGRES_TRIGGERS = [
    f"""CREATE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' THEN
            IF EXISTS ({_PERMITTED}) THEN RETURN OLD; END IF;
        END IF;
        RAISE EXCEPTION 'audit entries are append-only' USING ERRCODE = 'insufficient_privilege';
        END $$""",
    """CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries
        FOR EACH ROW EXECUTE FUNCTION audit_entries_stay()""",
    """CREATE TRIGGER audit_entries_stay_whole BEFORE TRUNCATE ON audit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_stay()""",
]

_SQLITE_TRIGGERS = [
    """CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries BEGIN
        SELECT RAISE(ABORT, 'audit entries are append-only'); END""",
    f"""CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries WHEN NOT EXISTS ({_PERMITTED}) BEGIN
        SELECT RAISE(ABORT, 'audit entries are append-only'); END""",
]
