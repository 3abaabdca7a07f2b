"""Who may do what: users, their sessions, API keys, roles.

Every request names a principal (`tokens.authenticate`), whose role says what it may do (`rules.ROLE_PERMISSIONS`).
Nothing secret is kept in a form that opens a door: passwords as argon2id, refresh tokens and API keys as SHA-256.

Invariants:
- The user's row is the lock of the user's sessions and events: who writes either holds it, so events are numbered
  without gaps
  and a sign-in never slips past a deactivation.
- There is always an active admin once there was one.
- Who is deactivated, or changes role or password, is signed out everywhere, at once: each request looks its session up.
- A refresh token works once. One that comes back later than `limits.refresh_repeat_s` after it was exchanged ends the
  session.
- A failed sign-in is counted even though its request fails, and tells nobody whether the address is known.
"""
