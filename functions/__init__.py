"""Stateless HTTP functions: parse, authenticate, represent. No business rule, no provider SDK, no work at import.

Each package has an `app.py` with `create_app()`; one never imports another, so each scales (and sleeps) alone.
"""
