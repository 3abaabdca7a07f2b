"""Acts are one dataclass per kind; events and the API show their fields by public names."""

from __future__ import annotations

from typing import get_args

from models.workflow import acts
from models.workflow.acts import AnyAct, Charged, Moved, Reason


def test_the_union_names_every_kind_of_act_once() -> None:
    declared = {
        one
        for one in vars(acts).values()
        if isinstance(one, type) and issubclass(one, acts.Act) and one is not acts.Act
    }

    assert set(get_args(AnyAct)) == declared
    assert len({kind.kind for kind in declared}) == len(declared) == 26


def test_details_hold_the_fields_of_the_kind_by_their_public_names() -> None:
    moved = Moved("close", why=Reason("true"), from_="open", to="closed", transition="close", event="request")

    assert moved.details == {
        "from": "open",
        "to": "closed",
        "transition": "close",
        "event": "request",
        "comment": None,
    }
    assert (moved.kind, moved.condition) == ("moved", "true")


def test_a_charge_shows_its_own_kind() -> None:
    charged = Charged("assign", charge_kind="fee", amount_minor=450, currency="EUR", user="u")

    assert charged.kind == "charged"
    assert charged.details == {"kind": "fee", "amount_minor": 450, "currency": "EUR", "user": "u"}
