"""The desk's own mail to its users: invitations, password resets and notices about their accounts.

One e-mail account with `system: true` carries it. A mail is a row and a task of one transaction, like a delivery: it is
retried, and each attempt has the same Message-ID. The row holds no secret. A link in the mail is derived from the
link's id and SECRET_KEY (`links.py`).
"""
