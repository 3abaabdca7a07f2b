"""Tests, mirroring the tree of the code.

A real package, because some distributions install a top-level `tests` of their own, which would win over a
folder without this file when `scripts` or a demo imports `tests.services`.
"""
