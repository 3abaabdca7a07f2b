"""The server below the functions: gunicorn's arbiter with a worker of ours.

gunicorn's threaded worker gives a thread to a connection as soon as its first byte arrives, and the thread then waits
for the rest of the head and for the reader of the response. Eight callers that send half a head, or read nothing, stop
every request and every probe. This worker's main thread holds all connections that wait for their peer; a thread runs
only while the application works.
"""
