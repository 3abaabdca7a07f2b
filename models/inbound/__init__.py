"""Inbound events become what they mean: a message of a ticket, a receipt, a reaction, a command of a chat, or nothing with a reason.

`recording` decides for each type of the port, in one transaction with the end of its task; `quarantine` keeps
what is forged or a flood; `chat_commands` carries out what requesters type. Invariant: an event has one
effect, however often it arrives or is replayed.
"""
