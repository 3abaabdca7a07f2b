"""Payloads of the events of users, roles, API keys and subscriptions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from models.events.payload import UNSET, Changes, EventPayload, Items, Unset


class UserCreated(EventPayload, frozen=True, kw_only=True):
    """A person joined the desk."""

    email: str
    name: str
    role: str
    locale: str | Unset = UNSET


class UserActivated(EventPayload, frozen=True, kw_only=True):
    """A person can be given work, because the ledger opened the account."""

    account_id: UUID


class AccountOpened(EventPayload, frozen=True, kw_only=True):
    """The ledger opened an account."""

    owner_id: UUID


class UserUpdated(EventPayload, frozen=True, kw_only=True):
    """A person's account was changed."""

    changes: Changes | Unset = UNSET
    password_changed: bool | Unset = UNSET
    sessions_ended: int | Unset = UNSET


class UserDeactivated(EventPayload, frozen=True, kw_only=True):
    """A person left the desk."""

    sessions_ended: int | Unset = UNSET
    api_keys_revoked: int | Unset = UNSET


class RoleCreated(EventPayload, frozen=True, kw_only=True):
    """A custom role was created."""

    role: str
    based_on: str
    permissions: Items


class RoleUpdated(EventPayload, frozen=True, kw_only=True):
    """A custom role was changed."""

    role: str
    changes: Changes


class RoleDeleted(EventPayload, frozen=True, kw_only=True):
    """A custom role was deleted."""

    role: str


class ViewCreated(EventPayload, frozen=True, kw_only=True):
    """A view of a team or of everyone was created."""

    name: str
    scope: str
    team: str | None


class ViewUpdated(EventPayload, frozen=True, kw_only=True):
    """A view of a team or of everyone was changed, or an own view was shared."""

    changes: Changes


class ViewDeleted(EventPayload, frozen=True, kw_only=True):
    """A view of a team or of everyone was deleted. `changes` has what it was."""

    changes: Changes


class SignedIn(EventPayload, frozen=True, kw_only=True):
    """A person signed in."""

    session_id: UUID
    client: str | Unset = UNSET


class SignedOut(EventPayload, frozen=True, kw_only=True):
    """A session ended."""

    session_id: UUID
    reason: str


class SessionsEnded(EventPayload, frozen=True, kw_only=True):
    """All sessions of a person, or all but the current one, were ended."""

    sessions_ended: int


class SignInFailed(EventPayload, frozen=True, kw_only=True):
    """Somebody could not sign in."""

    client: str | Unset = UNSET


class SecondFactorAdded(EventPayload, frozen=True, kw_only=True):
    """A person added an authenticator app or a passkey to the own account."""

    factor_id: UUID
    kind: str


class SecondFactorRemoved(EventPayload, frozen=True, kw_only=True):
    """A second factor was removed from an account."""

    factor_id: UUID
    kind: str


class OidcLinked(EventPayload, frozen=True, kw_only=True):
    """A person's account at an OpenID provider was linked."""

    issuer: str


class RecoveryCodesCreated(EventPayload, frozen=True, kw_only=True):
    """A person got new recovery codes; the earlier ones ended."""

    count: int


class RecoveryCodeUsed(EventPayload, frozen=True, kw_only=True):
    """A person signed in with a recovery code."""

    left: int


class ApiKeyCreated(EventPayload, frozen=True, kw_only=True):
    """An API key was made."""

    name: str
    role: str
    expires_at: datetime | Unset | None = UNSET
    owner_id: UUID | Unset = UNSET
    scopes: Items | Unset = UNSET


class ApiKeyGiven(EventPayload, frozen=True, kw_only=True):
    """An API key was given to another owner."""

    owner_id: UUID
    from_owner_id: UUID | None


class ApiKeyRevoked(EventPayload, frozen=True, kw_only=True):
    """An API key was revoked."""


class WebhookCreated(EventPayload, frozen=True, kw_only=True):
    """An outgoing webhook was made."""

    event_types: Items | Unset = UNSET


class WebhookUpdated(EventPayload, frozen=True, kw_only=True):
    """An outgoing webhook was changed."""

    changed: Items | Unset = UNSET


class WebhookSwitchedOff(EventPayload, frozen=True, kw_only=True):
    """An outgoing webhook was switched off after long failure."""

    reason: str


class WebhookSwitchedOn(EventPayload, frozen=True, kw_only=True):
    """An outgoing webhook was switched on again."""


class WebhookSecretRotated(EventPayload, frozen=True, kw_only=True):
    """An outgoing webhook got a new secret."""


class WebhookDeleted(EventPayload, frozen=True, kw_only=True):
    """An outgoing webhook was removed."""


class WebhookTested(EventPayload, frozen=True, kw_only=True):
    """A person asked for a trial call of an outgoing webhook."""
