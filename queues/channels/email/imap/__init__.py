"""A mailbox read by IMAP (RFC 3501, RFC 2177): new mails by their UID, stored like mails of a webhook.

This room is no provider folder, because the desk calls the server. The position in a folder is stored in the
transaction that stores the mail, and the mail is marked as seen afterwards. The next process marks the mails that a
killed process left unmarked.
"""
