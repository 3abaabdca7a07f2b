"""Lists of tickets: filters, orders and pages.

`filters` turns a TicketFilter into conditions, `sorts` names the orders, `page` reads one page by keyset. Invariants: a
list shows only tickets that its caller sees; a page neither repeats nor skips a ticket whose sort value stays.
"""
