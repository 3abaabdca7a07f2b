"""A channel that no other folder knows: `pigeon` and its account's file. `test_added_channel.py` adds it from a
temporary folder.
"""
