"""Any service that posts JSON or a form: described in its account's YAML, without a line of code (README.md)."""
