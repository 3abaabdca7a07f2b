"""Deliveries: the intent to carry one outbound message to one recipient over one channel, and every attempt at it.

States: scheduled, pending, sending, sent, failed, unknown, discarded. Invariants: an attempt is recorded as `sending`
before the provider is called, so that a crash in between is seen as `unknown` and not as "never tried"; a person's
message is sent once, or its log says why that is not certain.
"""
