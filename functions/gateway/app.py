"""The gateway's application: `gunicorn -c functions/gunicorn_conf.py 'functions.gateway.app:create_app()'`."""

from __future__ import annotations

from typing import Any

from functions.http import runtime, web
from functions.http.operations import Operations
from functions.views.examples import EXAMPLES
from functions.views.groups import GROUPS
from functions.views.parameters import PARAMETERS
from queues.sweep import OpportunisticSweep


def operations() -> Operations:
    """The operations of the gateway."""
    from functions.gateway.answering import drafts, macros, saved_replies, scheduled, signatures
    from functions.gateway.auth import (
        key_set,
        my_sessions,
        notice_settings,
        notices,
        oidc,
        own_addresses,
        own_password,
        passkeys,
        password_links,
        second_factors,
        sign_in,
        sign_in_steps,
    )
    from functions.gateway.definition import bundles, jobs, model, workflows
    from functions.gateway.lists import priorities, searching, ticket_list, views
    from functions.gateway.operating import (
        audit,
        channels,
        deliveries,
        event_schemas,
        imports,
        inbox,
        numbers,
        subscription_deliveries,
        subscriptions,
        tasks,
    )
    from functions.gateway.requester import organisations, privacy, requester_addresses, requester_merges, requesters
    from functions.gateway.sorting import (
        bin,
        bulk_changes,
        contacts,
        managed_tags,
        merges,
        snoozes,
        splits,
        tags,
        ticket_links,
        undos,
    )
    from functions.gateway.staff import availabilities, colleagues, offboarding, people, roles, teams
    from functions.gateway.ticket import (
        approvals,
        attachments,
        changes,
        escalations,
        explanations,
        followers,
        messages,
        paid_tasks,
        presence,
        promises,
        rating_pages,
        ratings,
        read_marks,
        readers,
        side_conversations,
        tickets,
        time_entries,
        transitions,
    )

    collected = Operations(PARAMETERS, EXAMPLES, GROUPS)
    for module in (
        sign_in,
        sign_in_steps,
        key_set,
        oidc,
        second_factors,
        passkeys,
        people,
        offboarding,
        colleagues,
        availabilities,
        own_password,
        my_sessions,
        password_links,
        roles,
        own_addresses,
        requesters,
        requester_addresses,
        requester_merges,
        organisations,
        privacy,
        ticket_list,
        views,
        searching,
        priorities,
        tickets,
        changes,
        presence,
        read_marks,
        tags,
        snoozes,
        managed_tags,
        bin,
        time_entries,
        bulk_changes,
        transitions,
        messages,
        side_conversations,
        scheduled,
        drafts,
        saved_replies,
        macros,
        signatures,
        readers,
        attachments,
        escalations,
        explanations,
        promises,
        approvals,
        ticket_links,
        paid_tasks,
        followers,
        contacts,
        merges,
        splits,
        undos,
        teams,
        notices,
        notice_settings,
        ratings,
        bundles,
        jobs,
        rating_pages,
        workflows,
        model,
        inbox,
        deliveries,
        tasks,
        channels,
        event_schemas,
        subscriptions,
        subscription_deliveries,
        audit,
        numbers,
        imports,
    ):
        collected.all.extend(module.operations.all)
    return collected


def create_app() -> Any:
    """The WSGI application."""
    config = runtime.start("gateway")
    return web.create_app(
        "gateway",
        operations(),
        configured=config,
        after=OpportunisticSweep().maybe,
        # In production the tick function reports the backlog.
        backlog=config.embedded,
    )
