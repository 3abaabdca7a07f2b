"""The generic webhook channel: a service that posts JSON or a form, described in its account's YAML without code
(README.md).
"""
