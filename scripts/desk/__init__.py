"""The embedded desk: one command that runs everything on one machine, with nothing but Python.

A supervisor prepares the data folder, starts the sandbox (a Bot API server and a mail catcher) and one gunicorn process
that holds the functions, the workers as threads and the scheduler. Outgrowing it is a matter of two URLs (README).
"""
