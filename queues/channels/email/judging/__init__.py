"""Judgements about a mail: its sender and recipients, its authentication, and whether a machine wrote it."""
