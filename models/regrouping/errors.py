"""Refusals of merges and splits."""

from __future__ import annotations

from models.kernel.errors import Conflict


class MergeRefused(Conflict):
    """The tickets cannot be merged."""

    code = "merge_refused"


class ConfirmationNeeded(Conflict):
    """The act needs a confirmation: send `confirm: true`."""

    code = "confirmation_required"
