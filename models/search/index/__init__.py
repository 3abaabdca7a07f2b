"""The documents of the index: what they hold, how they are read from the ticket's rows, and when they are written."""
