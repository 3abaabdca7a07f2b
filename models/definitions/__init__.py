"""Published definitions: workflows, channel accounts and information models as immutable versions in the database.

Files are for people; programs read what was published, so that every process of the desk sees the same version and a
ticket can stay on the one it started with.
"""
