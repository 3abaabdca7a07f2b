"""What happens to a running desk when its parts are killed, stopped, blocked or hung: real processes, real servers.

Without these tests "nothing is lost" would be a claim about code in one process; here `kill -9` decides.
"""
