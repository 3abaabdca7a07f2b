"""Bounds of reading a mail, each with its reason. They hold before any library sees the bytes."""

from __future__ import annotations

from models.kernel.limits import MIB

# -- headers ---------------------------------------------------------------------------------------------------
# Of one block; a megabyte of folded subject has 14,000, a real block some 200.
header_lines_max = 20_000
# Of one block; mailing lists add some 100.
headers_max = 2_000
# References of a two-year thread has some 30 kB.
header_value_bytes_max = 64 * 1024
# Of a Content-Type; a long file name in RFC 2231's form has 2,000.
parameter_bytes_max = 8_192
# Empty lines before the first header.
leading_bytes_max = 1_024
# Of one header; a longer list belongs to a mailing list.
addresses_max = 100
# Headers that are searched for our reply address.
recipient_headers_max = 20
# Ids that are looked up for threading; the newest matter most.
references_max = 50
# RFC 5322 lines end at 998; the longest real id seen has 270.
message_id_chars_max = 500
# Of a Message-ID inside an event key, which has 200 characters in all.
event_id_chars_max = 120

# -- parts -----------------------------------------------------------------------------------------------------
# 100,000 parts cost the standard library 14 s.
parts_max = 200
# Depth 1,000 is a RecursionError; real mail has 6 at most.
depth_max = 20
# Lines that begin like a boundary; each is compared.
delimiter_lines_max = 20_000
attachments_max = 50
# 28 MB of three-byte lines cost 9 s; real lines have 61 bytes, but for the last.
uu_tiny_lines_max = 50_000
# On average.
uu_line_bytes_min = 20

# Bytes that are searched for an undeclared boundary.
preamble_bytes_max = 64 * 1024
# Multiparts that are base64 themselves, which RFC 2045 forbids, and opaque S/MIME; each is a copy.
sources_max = 3
# Encoded; the mail inside is a copy of it, and the files of that mail are copies again.
smime_bytes_max = 32 * MIB
# Bytes of a length in S/MIME; eight count more than any mail has.
ber_length_bytes_max = 8
# Decoded at a time: a file costs its own size, not a multiple.
base64_slice_bytes = 256 * 1024
# Slices and pieces that end in padding (some encoders pad each line); one more for each `base64_piece_bytes_min`.
base64_pieces_max = 20_000
# Padded lines have 55 bytes and more; 25 MB of tiny ones would cost 15 s.
base64_piece_bytes_min = 24
# Bytes that show whether a declared base64 text is base64.
encoding_sample_bytes = 4_096

# -- text ------------------------------------------------------------------------------------------------------
# Decoded text that is read; a book has 1 MB.
text_bytes_max = 2 * MIB
# Quoted-printable makes three bytes of one.
text_encoded_bytes_max = 3 * text_bytes_max
# Bytes that the guess of an undeclared charset reads.
charset_sample_bytes = 4_096
# Later lines are only empty, quoted or text; no person writes a longer reply.
reply_lines_max = 20_000
# Readings of lines that may end an attribution; one takes some 10 us.
attribution_steps_max = 20_000
# A longer line is a paragraph, no attribution or header line.
reply_line_chars_max = 300

# -- HTML to be shown ------------------------------------------------------------------------------------------
# As much as text is read.
html_chars_max = 2 * MIB
# Ammonia is quadratic in these as well: a million costs it 10 s, as many as here 0.1 s. A newsletter has thousands,
# most of them in links. A text with more loses them.
html_ampersands_max = 100_000
# Ammonia is quadratic in depth: 200,000 cost it 212 s; newsletters have 60.
html_depth_max = 200
# Tags times depth; a long thread of Outlook has 1,500,000.
html_cost_max = 4_000_000
# Of one style attribute.
html_style_chars_max = 2_000

# -- reactions -------------------------------------------------------------------------------------------------
reaction_bytes_max = 1_000  # some emojis, or a JSON object with one
reactions_max = 20  # emojis of one mail; more are no reaction

# -- bounces ---------------------------------------------------------------------------------------------------
# Of a delivery status, or of the mail that came back: its headers stand first.
report_bytes_max = 256 * 1024
# Recipients of one report; our mails have one.
report_blocks_max = 50
# Of an old-fashioned bounce: the reason stands before the mail that it quotes.
report_text_chars_max = 64 * 1024
report_ids_max = 5

# -- what we send ----------------------------------------------------------------------------------------------
# Of a file at a time; 57 bytes make one line of 76.
base64_sent_bytes = 57 * 4096
# Longer ones are cut by file systems anyway.
filename_sent_chars_max = 150
# First and last nine: enough for every client to thread.
references_sent_max = 10

# -- authentication --------------------------------------------------------------------------------------------
# Authentication-Results looked at; each server on the way adds one.
authentication_headers_max = 20
# Of one; with ten DKIM signatures it has 2,000.
authentication_chars_max = 8_192
# DKIM-Signature headers looked at. The author's server and each service on the way add one; a mail with more is no
# ordinary answer.
signatures_max = 20
# Quoted strings of one; each becomes a character of the private use area, which has 6,400.
authentication_quoted_max = 200
# Headers of spam filters that are read; each filter on the way adds some five.
spam_headers_max = 50
# Of one; X-Spam-Status lists up to a hundred tests.
spam_chars_max = 4_096

# -- winmail.dat and calendars ---------------------------------------------------------------------------------
# Some 20 of the message and 5 of each file.
tnef_attributes_max = 2_000
# Of a message or a file; Outlook writes some 100.
tnef_properties_max = 2_000
# Messages within messages.
tnef_depth_max = 3
# Decompressed; byte by byte, that is half a second.
rtf_bytes_max = 1 * MIB
# Runs of one document whose charset is guessed (25 us each); later runs are in the named code page.
rtf_guesses_max = 2_000
# Open at once; Outlook nests some 10.
rtf_groups_max = 1_000
# Of an invitation; its time zones come first and have some 5,000.
calendar_chars_max = 256 * 1024
