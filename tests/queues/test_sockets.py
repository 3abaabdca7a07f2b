"""Connections to providers and to the broker notice a peer that vanished; tests/faults/test_vanished.py sees one
vanish.
"""

from __future__ import annotations

import socket

import pika

from models.kernel import limits
from queues import broker
from queues.channels.email.imap import mailbox
from queues.channels.email.writing import smtp
from queues.channels.email.writing.relay import Relay as AccountRelay
from queues.outside import safe_http
from tests.queues.channels.email.writing.relay import Relay
from tests.servers import receiving
from tests.services.dovecot import DovecotServer


def _notices_after_s(connected: socket.socket) -> float:
    """The seconds without an acknowledgement after which the kernel ends the connection; probes start before that."""
    assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    lost_s = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) / 1000
    idle_s = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
    probe_every_s = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
    assert idle_s + probe_every_s <= lost_s
    return lost_s


def test_a_conversation_with_a_mail_server_is_watched() -> None:
    with Relay() as relay:
        talk = smtp._Conversation(AccountRelay("127.0.0.1", relay.port, False, "", ""), "desk.example.test")
        try:
            assert talk._client.sock is not None
            assert _notices_after_s(talk._client.sock) == limits.provider_lost_s
        finally:
            talk.close()


def test_a_connection_to_a_mailbox_is_watched_also_inside_tls(imap_server: DovecotServer) -> None:
    imap_server.start()
    made = imap_server.new_mailbox()
    server = mailbox.Server("127.0.0.1", imap_server.port, False, made.user, made.password, str(imap_server.ca_file))

    with mailbox.Mailbox(server) as connected:
        assert _notices_after_s(connected._client.socket()) == limits.provider_lost_s


def test_a_call_of_a_webhook_is_watched() -> None:
    line = safe_http._Line(private=True, resolve=safe_http.look_up)
    with receiving() as receiver:
        try:
            with line.connect("127.0.0.1", receiver.port, limits.send_connect_timeout_s) as connected:
                assert _notices_after_s(connected) == limits.provider_lost_s
        finally:
            line.close()


def test_a_connection_to_the_broker_is_watched_and_the_operators_options_win() -> None:
    ours = pika.URLParameters(broker.amqp_url("amqp://nestor:secret@mq/desk"))
    theirs = pika.URLParameters(broker.amqp_url("amqp://nestor:secret@mq/desk?tcp_options={'TCP_USER_TIMEOUT':1}"))

    assert ours.tcp_options is not None
    assert ours.tcp_options["TCP_USER_TIMEOUT"] == limits.server_lost_s * 1000
    assert ours.tcp_options["TCP_KEEPIDLE"] < limits.server_lost_s
    assert theirs.tcp_options == {"TCP_USER_TIMEOUT": 1}
    assert ours.blocked_connection_timeout == 2
