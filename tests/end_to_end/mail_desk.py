"""A desk of its own in a process of its own, for the tests of mail loops: `python -m tests.end_to_end.mail_desk`.

Mails come to its real webhook function, its domain does all that is due, its real sender speaks SMTP to the relay of
NESTOR_SECRET_... Commands are JSON lines on standard input, each answered by one on standard output. Its clock moves
only when told.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from functions.http import runtime
from models import migrations
from models.kernel import settings
from models.kernel.storage import database
from models.side_conversations import commands as side_conversations
from models.side_conversations.commands import Words
from models.tasks import wakeups
from scripts import defs, seed
from tests.desk import Desk
from tests.functions.callers import Caller

HEADERS = {"Authorization": "Bearer demo-secret", "Content-Type": "message/rfc822"}


def prepare(address: str, folder: Path) -> None:
    """Migrate, publish, seed; the demo's mailbox has this desk's address."""
    shutil.copytree(defs.ROOT, folder / "workflow_defs")
    file = folder / "workflow_defs" / "channels" / "email.demo.yaml"
    told = file.read_text(encoding="utf-8")
    assert "desk@example.test" in told, "the demo's mailbox has another address now"
    file.write_text(told.replace("desk@example.test", address), encoding="utf-8")
    migrations.run()
    defs.publish(defs.read_all(folder / "workflow_defs", demo=True), by="tests")
    seed.people()


class MailDesk:
    """What the commands do."""

    def __init__(self) -> None:
        from functions.webhooks.app import create_app

        self.desk = Desk("sqlite", settings.current())
        wakeups.set_publisher(self.desk.wakeups.append)
        runtime.adopt(None)
        self.webhook = Caller(create_app())

    def receive(self, raw: str, sender: str, recipient: str) -> dict[str, Any]:
        """A mail server hands us a mail."""
        headers = HEADERS | {"X-Envelope-From": sender, "X-Envelope-To": recipient}
        result = self.webhook.post("/webhooks/email/demo", raw=base64.b64decode(raw), headers=headers)
        self.desk.run_due()
        return {"status": result.status_code}

    def open(self, email: str) -> dict[str, Any]:
        """Somebody asks by the API and leaves an address."""
        self.desk.create_ticket(description="The printer is on fire.", email=email)
        self.desk.run_due()
        return {}

    def reply(self, body: str) -> dict[str, Any]:
        """An agent answers in the newest ticket."""
        self.desk.reply(self.desk.tickets()[-1], body)
        self.desk.run_due()
        return {}

    def forward(self, to: str, body: str) -> dict[str, Any]:
        """An agent starts a side conversation about the newest ticket."""
        ticket = self.desk.tickets()[-1]
        self.desk.command(side_conversations.start, ticket.id, Words(body), to=to, actor=self.desk.person())
        self.desk.run_due()
        return {}

    def notes(self) -> dict[str, Any]:
        """Author and beginning of the notes of the oldest ticket."""
        found = [one for one in self.desk.messages(self.desk.tickets()[0]) if one["kind"] == "note"]
        return {"notes": [[one["author_kind"], one["by_machine"], one["body"].strip()] for one in found]}

    def advance(self, seconds: float) -> dict[str, Any]:
        self.desk.advance(seconds=seconds)
        self.desk.run_due()
        return {}

    def look(self) -> dict[str, Any]:
        """What people would see of it."""
        tickets = self.desk.tickets()
        withheld = [
            event["payload"]["reason"]
            for ticket in tickets
            for event in self.desk.events(ticket, "automatic_message_withheld")
        ]
        inbox = self.desk.rows("SELECT status, reason FROM inbox ORDER BY received_at, id")
        deliveries = [one for ticket in tickets for one in self.desk.deliveries(ticket)]
        return {
            "tickets": len(tickets),
            "inbound": sum(len(self.desk.bodies(ticket)) for ticket in tickets),
            "withheld": withheld,
            "inbox": Counter(row["status"] for row in inbox),
            "reasons": [row["reason"] for row in inbox if row["reason"]],
            "deliveries": Counter(one["state"] for one in deliveries),
            "errors": [one["last_error"] for one in deliveries if one["last_error"]],
            "open_tasks": len(self.desk.tasks("ready", "leased", "dead")),
        }


def main() -> None:
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing but answers may get there
    database.configure(settings.current())
    if len(sys.argv) > 1:
        prepare(sys.argv[1], Path(sys.argv[2]))
        return
    desk = MailDesk()
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(desk, command.pop("do"))(**command)
        outgoing.write(json.dumps(answer) + "\n")
        outgoing.flush()


if __name__ == "__main__":
    main()
