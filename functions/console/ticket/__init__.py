"""The page of a ticket: the conversation, the composer, the life cycle's transitions and the details."""
