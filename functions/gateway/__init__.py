"""The REST API /v1, for people and machines."""
