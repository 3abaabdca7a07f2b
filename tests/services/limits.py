"""Bounds of the test services, far above what a quiet machine needs: CI's two cores are often busy."""

# initdb and the first start take 2 s here; recovery after a kill with much WAL takes longer.
postgres_start_s = 60.0
# A fast shutdown writes a checkpoint; longer means that a backend hangs, and the server is then killed.
postgres_stop_s = 30.0
# A template database is busy for a moment after its last client hung up.
template_free_s = 10.0
# Sessions of a whole test run with several processes at once; PostgreSQL's own default of 100 is too near.
postgres_connections_max = 200

# The Erlang machine boots in 4 s on two idle cores, in 20 s on busy ones.
rabbitmq_start_s = 120.0
rabbitmq_stop_s = 45.0
# `rabbitmqctl` boots an Erlang machine for each call (0.5 s here).
rabbitmqctl_s = 90.0
management_request_s = 15.0
# The broker's default; `set_alarm(False)` goes back to it.
rabbitmq_memory_watermark = 0.4
# RabbitMQ's default asks for 50 MB free and blocks publishers below it; CI disks are nearly full at times.
rabbitmq_disk_free_bytes_min = 10 * 1024 * 1024
# Default 512 MiB: the log that quorum queues keep before they write segments. A test node needs a fraction.
rabbitmq_raft_log_bytes_max = 32 * 1024 * 1024

# How often a condition is looked at while waiting for it.
poll_s = 0.05
# Lines of a server's log shown with an error.
log_tail_lines = 25
# Ports tried before giving up.
port_tries_max = 200

# Dovecot is there within 0.2 s on a quiet machine.
dovecot_start_s = 30.0
# SIGTERM cuts clients off at once.
dovecot_stop_s = 15.0

# PgBouncer is there within 0.1 s on a quiet machine.
pgbouncer_start_s = 30.0
# SIGTERM cuts clients off at once.
pgbouncer_stop_s = 15.0
# A whole desk has five processes of up to ten connections each.
pgbouncer_clients_max = 200

# clamd with a database of one signature is there within 0.5 s on a quiet machine.
clamd_start_s = 60.0
# SIGTERM ends it after the scans that run.
clamd_stop_s = 15.0

# A namespace, or the end of a forwarder in one, takes milliseconds.
namespace_s = 15.0

# debootstrap takes 40 s here, apt-get and pip a minute each; a slow mirror multiplies it.
debian_install_s = 900.0
# systemd, PostgreSQL, RabbitMQ and nginx are up within 15 s on a quiet machine.
debian_boot_s = 180.0
