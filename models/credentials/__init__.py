"""Proofs of a user's identity besides the password itself: links to choose a password, second factors, OIDC.

Invariants:
- A link to choose a password works once, for 30 minutes, and ends with any other change of the password.
- No response and no response time reveals whether an address belongs to a user.
- Each change is reported to the user by the desk's own mail (models/desk_mail).
"""
