"""Representations of rows, pages with cursors, and types of texts that the functions share.

They are not in the gateway, so that another function can use them without importing it.
"""
