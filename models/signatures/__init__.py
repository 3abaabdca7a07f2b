"""Signatures of mails: of a person, or of a team for its members without one.

Invariants: a signature is checked when it is stored, as a saved reply is; a reply keeps the signature with which it was
written, so that a later change alters no message; a desk without signatures pays no statement for them.
"""
