"""Telegram: a bot whose updates come by webhook and whose answers go to the Bot API.

Updates are read as plain dictionaries: python-telegram-bot refuses some real ones, and a refused update
blocks its chat at Telegram. The library is used to send only.
"""
