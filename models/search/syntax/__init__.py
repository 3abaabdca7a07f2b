"""Read queries: `lexing` splits a query into pieces, `parsing` makes a tree of them, `operators` gives each operator
its filter.

Every text is a query: quotes and parentheses that do not close are closed at the end. Only an unknown operator, an
unknown value and a query beyond the bounds are errors.
"""
