"""The closed list of audited actions."""

from __future__ import annotations

from enum import StrEnum, auto


class AuditAction(StrEnum):
    """An audited action. The value is public: filters and CSV files use it.

    Every event of a user, a role, an API key or an outgoing webhook is an audited action of the same name.
    """

    # Events.
    user_created = auto()
    user_activated = auto()
    account_opened = auto()
    user_updated = auto()
    user_deactivated = auto()
    signed_in = auto()
    signed_out = auto()
    sessions_ended = auto()
    sign_in_failed = auto()
    role_created = auto()
    role_updated = auto()
    role_deleted = auto()
    second_factor_added = auto()
    second_factor_removed = auto()
    oidc_linked = auto()
    recovery_codes_created = auto()
    recovery_code_used = auto()
    api_key_created = auto()
    api_key_given = auto()
    api_key_revoked = auto()
    view_created = auto()
    view_updated = auto()
    view_deleted = auto()
    webhook_created = auto()
    webhook_updated = auto()
    webhook_switched_off = auto()
    webhook_switched_on = auto()
    webhook_secret_rotated = auto()
    webhook_deleted = auto()
    webhook_tested = auto()
    # Requests without an event of their own.
    access_refused = auto()
    link_created = auto()
    address_added = auto()
    address_removed = auto()
    requester_created = auto()
    requester_updated = auto()
    signature_changed = auto()
    macro_created = auto()
    macro_updated = auto()
    macro_deleted = auto()
    saved_reply_created = auto()
    saved_reply_updated = auto()
    saved_reply_deleted = auto()
    organisation_created = auto()
    organisation_updated = auto()
    organisation_deleted = auto()
    tickets_merged = auto()
    ticket_split = auto()
    ticket_requester_changed = auto()
    ticket_contact_changed = auto()
    tickets_linked = auto()
    tickets_unlinked = auto()
    act_undone = auto()
    requesters_merged = auto()
    requester_merge_undone = auto()
    requester_exported = auto()
    requester_erased = auto()
    raw_event_downloaded = auto()
    team_members_set = auto()
    holdings_handed_over = auto()
    holdings_removed = auto()
    definition_published = auto()
    definition_rolled_back = auto()
    definition_retired = auto()
    workflow_migration_started = auto()
    ticket_purged = auto()
    side_conversation_started = auto()
    tag_updated = auto()
    tag_renamed = auto()
    tag_deleted = auto()
    bulk_change_started = auto()
    bulk_change_cancelled = auto()
    import_started = auto()
    import_cancelled = auto()
    import_finished = auto()
    desk_exported = auto()
    audit_exported = auto()


class Outcome(StrEnum):
    """The outcome of an audited action."""

    done = auto()
    refused = auto()
    failed = auto()
