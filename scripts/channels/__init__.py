"""Channel accounts for operators: check their files, try them for real, set them up at their providers, see how they
do.
"""
