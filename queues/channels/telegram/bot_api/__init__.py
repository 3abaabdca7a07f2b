"""The Bot API through python-telegram-bot: the bots of this process, what its errors mean, files, set-up, kinds of updates."""
