"""The profile of the signed-in user: language, theme, keys, notices and sessions."""
