"""Idempotency keys of API callers: the same key and request get the stored answer, never a second effect (kept 24 h).

The key is taken in the transaction of the effect, so that an answer is stored exactly when the effect is.
"""
