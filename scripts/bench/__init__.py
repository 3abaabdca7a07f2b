"""`python -m scripts.bench`: how fast the desk is, and how near that is to what its database can do.

One run measures on private servers (PostgreSQL with fsync, RabbitMQ) and prints a table of medians with targets and
ratios. It is no test: a busy machine makes it slower, so each sample notes how much CPU others used meanwhile.
"""
