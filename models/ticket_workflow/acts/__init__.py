"""The acts of a workflow become rows: changes, messages, notices, calls and events."""
