"""The mail that leaves: bodies, MIME parts, DKIM signature, SMTP."""
