"""A desk that speaks German only: the smallest folder of definitions that runs."""

from __future__ import annotations

from pathlib import Path

DESK = """\
desk: Werkstatt
languages: [de]
zone: Europe/Berlin
currency: EUR
texts:
  invitation_subject: {de: "Ihr Zugang zu {desk}"}
  invitation: {de: "Guten Tag {name}, Ihr Passwort: {link} ({minutes} Minuten)"}
"""
WORKFLOW = """\
workflow: support
label: {de: Kundendienst}
initial: neu
states:
  neu: {category: todo, label: {de: Neu}}
  gelöst: {category: done, label: {de: Gelöst}}
transitions:
  lösen: {from: [neu], to: gelöst, label: {de: Erledigt}, who: [agent, requester]}
reactions:
  - on: ticket_created
    name: bestätigen
    when: 'message.automatic == "" && fields["größe"] == ""'
    do: [{send: bestätigung}]
  - on: timer:nachfassen
    name: erinnern
    in: [neu]
    do: [{note: erinnerung}]
calendars:
  büro: {hours: {mon: ["09:00-17:00"]}}
timers:
  nachfassen: {in: [neu], after: 2h, calendar: büro}
templates:
  erinnerung: {de: "Noch offen: #{{ ticket.number }}"}
  bestätigung:
    de: "Ihre Anfrage an {{ desk.name }} ist {{ ticket.state_label }}, am {{ ticket.created_at | datetime }}."
"""
TYPE = """\
type: question
label: {de: Frage}
workflow: support
fields:
  größe: {kind: text, label: {de: Größe}}
  preis: {kind: money, label: {de: Preis}}
"""
TEAMS = "teams:\n  büro: {label: {de: Büro}}\n"
BOT = """\
channel: telegram
account: demo
demo: true
default: true
token: {secret: telegram_demo_token}
secret_token: {secret: telegram_demo_secret_token}
"""
MAILBOX = """\
channel: email
account: demo
demo: true
default: true
system: true
reply_marker: true
address: desk@example.test
bearer: {secret: email_demo_bearer}
smtp_url: {secret: email_demo_smtp_url}
"""


def written(root: Path, **instead: str) -> Path:
    """Write the folder. `instead`: other texts of its files, by the file's stem."""
    files = {
        "desk": DESK,
        "support/workflow": WORKFLOW,
        "model/question": TYPE,
        "teams": TEAMS,
        "channels/telegram.demo": BOT,
        "channels/email.demo": MAILBOX,
    }
    for name, text in (files | instead).items():
        path = root / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
