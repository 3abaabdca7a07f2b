"""The state of the desk on one page, and whether somebody must act.

Each part looks at one thing that the desk stands on and says what it found and what, if anything, a person has to do. A
part that cannot be read is one line, because the page is wanted most when something is away.
"""
