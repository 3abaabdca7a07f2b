"""How the API shows and takes things: representations of rows, pages with cursors, kinds of text.

Apart from the gateway, so that another function can show the same without importing it.
"""
