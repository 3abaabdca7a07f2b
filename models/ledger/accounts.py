"""Open the accounts of users. Commands join the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from models.events import history
from models.events.commands import SYSTEM
from models.events.desk_payloads import AccountOpened
from models.kernel import clock
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.ledger.tables import Account
from models.tasks import commands as tasks
from models.tasks.payloads import ActivateUser


def open_for(user_id: UUID, *, activates: bool = True) -> UUID:
    """Open the account of a user and publish `account_opened`; return the account's id.

    A repeat opens nothing, and asks again for the activation, because the first task may be lost. `activates` is False
    for a caller that activates the user in the same transaction.
    """
    assert database.in_transaction(), "the account and its publication are committed together"
    account_id, now = new_id(), clock.now()
    made = Account.insert(id=account_id, kind="user", owner_id=user_id, opened_at=now)
    if made.on_conflict_ignore().as_rowcount().execute():
        history.append("account", account_id, [AccountOpened(owner_id=user_id)], actor=SYSTEM, at=now)
    else:
        account_id = _account_of(user_id)
    if activates:
        tasks.enqueue(ActivateUser(user_id=user_id, account_id=account_id))
    return account_id


def _account_of(user_id: UUID) -> UUID:
    row = first(Account.select(Account.id).where(Account.kind == "user", Account.owner_id == user_id))
    assert row is not None, "the insert met this row"
    found: UUID = row["id"]
    return found
