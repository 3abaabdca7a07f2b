"""Users of the desk, their sessions, API keys and roles.

`tokens.authenticate` finds the principal of each request. The principal's role gives its permissions
(`rules.ROLE_PERMISSIONS`). The tables of this package store credentials as hashes only: argon2id for passwords,
SHA-256 for refresh tokens and API keys.

Invariants:
- The user's row is the lock of the user's sessions and events. Every writer of either locks the row, so events are
  numbered without gaps and no sign-in overtakes a deactivation.
- Once an active admin exists, at least one active admin always exists.
- A deactivation, or a change of role or password, ends all sessions of the user immediately, because each request reads
  its session.
- A refresh token works once. A token that returns later than `limits.refresh_repeat_s` after its exchange ends the
  session.
- A failed sign-in is counted although its request fails. The response does not reveal whether the address is known.
"""
