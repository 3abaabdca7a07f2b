"""Bounds of the fault tests, with their reasons; most are deadlines far above what a quiet machine needs."""

# A desk's processes.
start_s = 60.0  # a process imports and answers in half a second; a machine full of other tests takes its time
stop_s = 30.0  # from SIGTERM to the end: the longest drain of ours is 25 s
task_lease_s = 3  # TASK_LEASE_S: how long a killed worker's tasks wait; the product's 20 s would be most of a test
kill_tries_max = 200  # looks for something alive to kill before a desk counts as not coming back

# Clients, as patient as a provider.
request_s = 15.0  # of one request; the server's own limits are below
repeat_wait_s = 0.15  # between two tries of one request
# Between two messages of a chat in a flow. Answers to one chat leave at one a second (Bot API FAQ), so a hasty chat
# would only make its own queue, and the test would wait for it after the fault.
chat_every_s = 1.2
repeat_for_s = 40.0  # Telegram repeats for a day; no fault of ours lasts longer than this

# Waiting for an end.
drain_s = 90.0  # after the last fault: wakeups lost, leases to run out, a sweep's doubling grace
settle_s = 30.0  # one message through an undisturbed desk takes 30 ms
poll_s = 0.05

# A node that vanished is noticed after 6 s (models/kernel/limits.py), looked for again within 5 s, and a busy machine
# adds to it. RabbitMQ's heartbeat alone would take 60 to 120 s.
vanished_s = 30.0
