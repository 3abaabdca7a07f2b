"""A mailbox read by IMAP (RFC 3501, RFC 2177): new mails by their UID, stored like those of a webhook.

Not a folder of `providers`: nobody calls us here, we ask. How far a folder was read is kept in the transaction that
stores the mail, and only after it the mail is marked as seen. What a killed process left unmarked is marked by the next
one.
"""
