"""E-mail: mail arrives by webhook or IMAP and leaves by SMTP or a provider's API.

Strangers and broken software write mail, so each reader here is linear in its input and bounded by `limits.py`. Content
beyond a bound stays in the raw mail, and the message says so.
"""
