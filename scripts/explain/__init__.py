"""One ticket's whole story in time order, for the person who is asked "what happened to my message?".

Everything that the desk knows is in rows: the raw event, the message, the life cycle's decision with its rule, the
task, the attempt. They lie in seven tables; without this, the answer takes seven queries and an hour.
"""
