"""Private PostgreSQL, RabbitMQ, Dovecot and PgBouncer servers for tests, benchmarks and demos.

What we promise about a crash, a restart or a blocked broker is only worth something when it is seen on the
real servers. These classes start them without a port, a folder or an account of the machine being shared, and
leave nothing behind. They know nothing of the domain, so that `scripts/bench` and the demos may use them
outside pytest.
"""
