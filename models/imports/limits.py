"""Bounds of imports and exports."""

from __future__ import annotations

from models.kernel.limits import MIB

batch_records = 25  # of one transaction; some 100 ms, so that the desk's own writers wait for no longer
line_bytes_max = 64 * MIB  # a ticket with 600 messages of 100,000 characters; a line is read into memory as a whole
document_bytes_max = 64 * MIB  # a page of Zendesk's API has 100 to 1,000 records; larger files have a record a line
archive_bytes_max = 2 * 1024 * MIB  # of all members of an uploaded zip, unpacked; 40 times the largest upload
archive_members_max = 100_000  # twice the files of a desk of 50,000 tickets; the directory of a zip is read into memory
file_bytes_max = 50 * MIB  # of one file; the bound of an upload
mapping_bytes_max = 1 * MIB  # a mapping of 10,000 words has 300 kB
messages_max = 10_000  # of one ticket; the ids of a batch stay under the parameters that PostgreSQL takes (65,535)
files_max = 200  # of one message; a mail of 25 MB has fewer
list_max = 1_000  # of addresses, readers, followers or steps of one record
id_chars_max = 200  # an id in the source; ids of known systems have up to 64 characters
text_chars_max = 1_000_000  # of one text, as of a message that arrives
problems_max = 10_000  # stored of one import; the counts go on. A file with more has one mistake in each line
problem_chars_max = 300  # of the words "found" and "expected"
running_max = 1  # imports at once: two would fight for the same ids and numbers
kept_s = 30 * 24 * 3600  # the report of an import that ended; a person has looked at it by then
export_page = 200  # tickets of one read
