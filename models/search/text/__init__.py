"""Tokens of texts: folding, words, stems and identifiers.

The tokens are made in Python and both engines store them as they are, so both find the same tickets. A change of these
rules needs a higher `documents.FORM`, which makes `python -m scripts.search rebuild` write all documents again.
"""
