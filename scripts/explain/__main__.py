"""Print one ticket's whole story in time order."""

from __future__ import annotations

import argparse
import json

from models import migrations
from models.kernel import clock
from models.kernel.storage import database
from models.tickets import queries
from models.tickets.tables import Ticket
from scripts import _cli
from scripts.explain import limits, sources, words
from scripts.explain.sources import Entry


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.explain", description=__doc__)
    parser.add_argument("ticket", help="the ticket's number (7 or '#7') or id")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    _cli.connect("explain", only_look=True)
    migrations.check()
    with database.connection():
        ticket = queries.find(options.ticket.removeprefix("#"))
        entries = sources.story(ticket)
    print(_document(ticket, entries) if options.json else render_text(ticket, entries))
    return 0


def _document(ticket: Ticket, entries: list[Entry]) -> str:
    told = {
        "ticket": ticket.row(),
        "cut": sources.cut_sources(entries),
        "story": [sources.as_json(e) for e in entries],
    }
    return json.dumps(told, ensure_ascii=False, indent=2, default=sources.plain)


def render_text(ticket: Ticket, entries: list[Entry]) -> str:
    """The story for people."""
    lines = [
        f"Ticket #{ticket.number} {words.short(ticket.title)}",
        f"{ticket.state} ({ticket.category}), {ticket.type}, {ticket.priority}, life cycle {ticket.workflow}"
        f" version {ticket.workflow_version}, over {ticket.channel}, id {ticket.id}",
        "",
    ]
    for entry in entries:
        if entry.told_elsewhere:
            continue
        lines.append(f"{clock.rfc3339(entry.at)}  {entry.source:<8}  {entry.line}")
        lines.extend(f"{'':>27}  {'':<8}    {detail}" for detail in entry.details)
    for source in sources.cut_sources(entries):
        lines.append(f"Only the first {limits.rows_max} entries of kind {source} are told.")
    return "\n".join(lines)


if __name__ == "__main__":
    _cli.end(main)
