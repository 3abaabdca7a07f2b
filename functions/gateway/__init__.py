"""The REST API /v1: people's and machines' door to the desk."""
