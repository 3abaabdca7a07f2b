"""The console: the pages in which people work, for browsers.

It has no rule of its own. A page calls the same commands and queries as the gateway, with the same permissions, so an
action of the console is always possible by the API as well. Each room (a folder) has its operations, its templates, its
styles, its scripts and its translations; `frame` has the parts that all rooms share.
"""
