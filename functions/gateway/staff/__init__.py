"""Users, their roles, API keys and teams."""
