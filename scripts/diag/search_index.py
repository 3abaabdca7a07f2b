"""The part of the report about the search index: its documents, and the tickets whose document must be written."""

from __future__ import annotations

from dataclasses import asdict

from models.search.index import writing
from scripts.diag.part import Part
from scripts.explain import words


def look(part: Part) -> None:
    """Report the index. The event log's part shows how far it is behind new messages."""
    state = writing.state()
    part.facts.update(asdict(state))
    part.lines.append(f"{words.counted(state.documents, 'document')}, {state.pending} to be written")
    if state.old:
        part.problem(
            f"{words.counted(state.old, 'document')} of an earlier form: run `python -m scripts.search rebuild`, or"
            " searches miss words"
        )
