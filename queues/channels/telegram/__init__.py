"""The Telegram channel: a bot that receives updates by webhook or long polling and answers through the Bot API.

Updates are parsed as plain dictionaries. python-telegram-bot rejects some real updates, and a rejected update makes
Telegram hold back the later updates of its chat. The library is used only to send.
"""
