"""Access to the Bot API through python-telegram-bot: bots, errors, files, set-up and kinds of updates."""
