"""Channel accounts: our ends of the channels (a bot, a mailbox), described in YAML and published like workflows.

Credentials are named, never contained: an account says `secret_token: {secret: telegram_demo_secret_token}`.
"""
