"""The audit trail: who did what to which object, from where, with which outcome.

Commands that change rights, credentials, definitions or personal data record an entry in their own transaction. So do
refused requests and failed sign-ins. An entry holds ids and closed words, never a person's text. The database refuses
changes, and it refuses deletions outside `retention.delete_before`.
"""
