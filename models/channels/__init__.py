"""Channel accounts: the desk's bots, mailboxes and services, described in YAML and published like workflows.

An account names its credentials and never contains them: an account says `secret_token: {secret:
telegram_demo_secret_token}`.
"""
