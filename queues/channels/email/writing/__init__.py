"""Write mail: bodies from our Markdown, parts, the DKIM signature, and the SMTP conversation."""
