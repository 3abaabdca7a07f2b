"""A person joins the organisation that has the domain of the mail address, if the address is proved."""

from __future__ import annotations

import pytest

from models.kernel.storage import database
from models.requesters import organisations
from models.tickets import ticket_fields
from tests.desk import Desk
from tests.models.inbound.conftest import Change
from tests.models.inbound.test_author_proof import TRUSTED, mail


@pytest.mark.parametrize("is_proved", [True, False])
def test_only_a_proved_author_of_a_judged_mailbox_joins_the_organisation_of_the_domain(
    desk: Desk, account: Change, is_proved: bool
) -> None:
    account("email.demo", authserv_ids=[TRUSTED], on_unproved="accept")
    with database.transaction():
        organisations.create("Corp", domain_names=["corp.test"], fields={}, role="admin", lookups=ticket_fields.LOOKUPS)
    headers = [f"Authentication-Results: {TRUSTED}; dmarc=pass header.from=corp.test"] if is_proved else []

    mail(desk, *headers, "From: vera@corp.test")

    [requester] = desk.rows("SELECT organisation_id FROM requesters")
    assert (requester["organisation_id"] is not None) is is_proved
