"""The kinds of task, each with its payload's type, its queue and its patience.

Declared here and not with the actors, so that a function can enqueue work without loading the code that does it (cold
start). `queues/actors/<kind>.py` does the work; a structure test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.tasks import payloads
from models.tasks.payloads import Payload

DEFAULT, SENDS = "default", "sends"
# The queues: work on our own database, and calls of other servers.
QUEUES: tuple[str, ...] = (DEFAULT, SENDS)


@dataclass(frozen=True, slots=True)
class TaskKind:
    """The queue, the time limit and the retries of a kind of task.

    The wait before attempt n+1 is `backoff_s * 2**(n-1)`, at most `backoff_s_max`, times a random 0.5 to 1.
    A task is dead after `attempts_max` attempts or when a retry would come later than `patience_s` after its first run.
    """

    name: str
    payload: type[Payload] = Payload
    queue: str = DEFAULT
    time_limit_s: int = 25
    attempts_max: int = 12
    backoff_s: float = 0.5
    backoff_s_max: float = 600.0
    patience_s: float = 24 * 3600
    doubles: bool = False  # a person gets something twice when a run is repeated whose worker died in it
    retried_at: str = ""  # where a person retries what the task was for, when running the task again would do nothing


_KINDS = (
    # Besides parsing it puts a mail's files into the blob store: 25 MiB at 4 Mbit/s.
    TaskKind("ingest_event", payloads.IngestEvent, time_limit_s=80),
    TaskKind("advance_ticket", payloads.AdvanceTicket),
    TaskKind("release_message", payloads.ReleaseMessage),
    TaskKind("wake_ticket", payloads.WakeTicket),
    # A provider may be away for a night; its users still get their answers.
    TaskKind(
        "send_delivery",
        payloads.SendDelivery,
        queue=SENDS,
        time_limit_s=110,
        attempts_max=200,
        doubles=True,
        retried_at="/v1/deliveries/{id}/retry",
    ),
    # The answer to a chat's command: of no use an hour later.
    TaskKind("send_notice", payloads.SendNotice, queue=SENDS, time_limit_s=110, attempts_max=10, patience_s=3600),
    # A file at the provider, which keeps it for hours at least.
    TaskKind(
        "fetch_attachment", payloads.FetchAttachment, queue=SENDS, time_limit_s=110, attempts_max=200, backoff_s=2.0
    ),
    # The scanner may be away for days (its signatures are broken, nobody is at work); the file waits and is held back.
    TaskKind(
        "scan_file",
        payloads.ScanFile,
        queue=SENDS,
        time_limit_s=110,
        attempts_max=20_000,
        backoff_s=2.0,
        backoff_s_max=300.0,
        patience_s=30 * 24 * 3600,
    ),
    TaskKind(
        "send_code", payloads.SendCode, queue=SENDS, time_limit_s=110, attempts_max=10, patience_s=900, doubles=True
    ),
    # A mail about the own account. A link in it works for half an hour, and the row says when it is of no use.
    TaskKind("send_desk_mail", payloads.SendDeskMail, queue=SENDS, time_limit_s=110, attempts_max=100, doubles=True),
    TaskKind("request_password_reset", payloads.RequestPasswordReset, patience_s=1800),
    TaskKind("mail_portal_link", payloads.MailPortalLink, patience_s=1800),
    TaskKind("tell_staff", payloads.TellStaff, queue=SENDS, time_limit_s=110, attempts_max=50, doubles=True),
    # Made by a life cycle: a ticket that belongs to this one; a call of a server that may be away for a day.
    TaskKind("make_linked_ticket", payloads.MakeLinkedTicket),
    TaskKind(
        "call_webhook",
        payloads.CallWebhook,
        queue=SENDS,
        time_limit_s=60,
        attempts_max=30,
        backoff_s=5.0,
        backoff_s_max=3600.0,
        patience_s=2 * 24 * 3600,
    ),
    # A subscriber may be away over a weekend. Waits of 5 s doubling to 6 hours.
    TaskKind(
        "deliver_webhook",
        payloads.DeliverWebhook,
        queue=SENDS,
        time_limit_s=40,
        attempts_max=60,
        backoff_s=5.0,
        backoff_s_max=6 * 3600.0,
        patience_s=3 * 24 * 3600,
        retried_at="/v1/webhooks/{webhook}/deliveries/{delivery}/replay",
    ),
    TaskKind("reassign_tickets", payloads.ReassignTickets, time_limit_s=60),
    TaskKind("notify_people", payloads.NotifyPeople),
    TaskKind("plan_notice", payloads.PlanNotice),
    TaskKind("hand_over_notices", payloads.HandOverNotices),
    # A chat that is away for hours; the notice is in the user's list anyway.
    TaskKind("send_chat_notices", payloads.SendChatNotices, queue=SENDS, time_limit_s=110, attempts_max=50),
    # A mailbox or a bot that no process watches; the next tick enqueues the pull again.
    TaskKind("pull_account", payloads.PullAccount, queue=SENDS, time_limit_s=110, attempts_max=3),
    TaskKind("open_account", payloads.OpenAccount),
    # The user may become visible after the account.
    TaskKind("activate_user", payloads.ActivateUser),
    TaskKind("repair_activations", payloads.RepairActivations, attempts_max=3),
    TaskKind("watch_accounts", payloads.WatchAccounts, queue=SENDS, attempts_max=2, time_limit_s=110),
    # Long jobs in runs of some seconds.
    TaskKind("migrate_tickets", payloads.MigrateTickets, time_limit_s=110),
    TaskKind("apply_bulk_change", payloads.ApplyBulkChange, time_limit_s=110),
    TaskKind("run_import", payloads.RunImport, time_limit_s=110),
    TaskKind("replay_events", payloads.ReplayEvents, time_limit_s=110),
    # A consumer that fails stays behind until it is mended, and no event may pass it: the task is retried for a month.
    # An event that ends its workers is parked (models/events/following/parking.py).
    TaskKind(
        "follow_log",
        payloads.FollowLog,
        attempts_max=100_000,
        backoff_s_max=60.0,
        patience_s=30 * 24 * 3600,
    ),
    TaskKind("index_tickets", payloads.IndexTickets, time_limit_s=110),
    TaskKind("collect_garbage", payloads.CollectGarbage, attempts_max=3, time_limit_s=120),
)

KINDS: dict[str, TaskKind] = {kind.name: kind for kind in _KINDS}


def kind_of(payload: Payload) -> TaskKind:
    """Return the kind of task that this payload is for. Raises LookupError for a type that no kind names."""
    for kind in KINDS.values():
        if kind.payload is type(payload):
            return kind
    raise LookupError(f"no kind of task has the payload {type(payload).__name__}")
