"""Lists of tickets: filters, orders and pages.

`words` are the filters as people write them, in a query, a saved view or a search; `resolving` checks them and makes a
TicketFilter, which `conditions` turns into SQL. `sorts` names the orders, `page` reads one page by keyset. Invariants:
a list shows only tickets that its caller sees; a page neither repeats nor skips a ticket whose sort value stays; a
filter with an unknown name is an error and not an empty list.
"""
