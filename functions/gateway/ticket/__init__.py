"""Tickets: messages, transitions, files, followers, tags, reasons."""
