"""OAuth 2.0 in place of a mailbox's password, for IMAP and SMTP (RFC 6749, SASL XOAUTH2 and OAUTHBEARER).

`account.py` has the keys of the account's file, `services.py` the addresses of Microsoft and Google. `endpoint.py` asks
the authorization server, `tokens.py` keeps and renews what it gave, `bearer.py` logs in with it. `consent.py` gets the
first refresh token with a person's consent. README.md explains the setup.
"""
