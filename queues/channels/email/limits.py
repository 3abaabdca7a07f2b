"""Bounds of reading a mail, each with its reason. They hold before any library sees the bytes."""

from __future__ import annotations

from models.kernel.limits import MIB

# -- headers ---------------------------------------------------------------------------------------------------
header_lines_max = 20_000  # of one block; a megabyte of folded subject has 14,000, a real block some 200
headers_max = 2_000  # of one block; mailing lists add some 100
header_value_bytes_max = 64 * 1024  # References of a two-year thread has some 30 kB
parameter_bytes_max = 8_192  # of a Content-Type; a long file name in RFC 2231's form has 2,000
leading_bytes_max = 1_024  # empty lines before the first header
addresses_max = 100  # of one header; more are a mailing list's own business
recipient_headers_max = 20  # looked at for our reply address
references_max = 50  # ids looked up for threading; the newest are the telling ones
message_id_chars_max = 500  # RFC 5322 lines end at 998; the longest real id seen has 270
event_id_chars_max = 120  # of a Message-ID inside an event key, which has 200 characters in all

# -- parts -----------------------------------------------------------------------------------------------------
parts_max = 200  # 100,000 parts cost the standard library 14 s
depth_max = 20  # depth 1,000 is a RecursionError; real mail has 6 at most
delimiter_lines_max = 20_000  # lines that begin like a boundary; each costs a look
attachments_max = 50
uu_tiny_lines_max = 50_000  # 28 MB of three-byte lines cost 9 s; real lines have 61 bytes, but for the last
uu_line_bytes_min = 20  # on average

preamble_bytes_max = 64 * 1024  # where a boundary that nobody declared is looked for
sources_max = 3  # multiparts that are base64 themselves, which RFC 2045 forbids; each is a copy
base64_slice_bytes = 256 * 1024  # decoded at a time: a file costs its own size, not a multiple
base64_pieces_max = 20_000  # slices, and what ends in a padding, as each line of some encoders; and one more for each
base64_piece_bytes_min = 24  # bytes: such lines have 55 and more; 25 MB of tiny ones would cost 15 s
encoding_sample_bytes = 4_096  # what shows whether a text is base64 as it claims

# -- text ------------------------------------------------------------------------------------------------------
text_bytes_max = 2 * MIB  # decoded text that is read; a book has 1 MB
text_encoded_bytes_max = 3 * text_bytes_max  # quoted-printable makes three bytes of one
charset_sample_bytes = 4_096  # what the guess of an undeclared charset looks at
reply_lines_max = (
    20_000  # lines read as more than quoted, empty or text; a reply of that length has been written by no one
)
attribution_steps_max = 20_000  # looks at lines that might end "On ... wrote:"; one takes some 10 us
reply_line_chars_max = 300  # a longer line is a paragraph, no attribution or header line

# -- HTML to be shown ------------------------------------------------------------------------------------------
html_chars_max = 2 * MIB  # as much as text is read
html_depth_max = 200  # ammonia is quadratic in depth: 200,000 cost it 212 s; newsletters have 60
html_cost_max = 4_000_000  # tags times depth; a long thread of Outlook has 1,500,000
html_style_chars_max = 2_000  # of one style attribute

# -- bounces ---------------------------------------------------------------------------------------------------
report_bytes_max = 256 * 1024  # of a delivery status, or of the mail that came back: its headers stand first
report_blocks_max = 50  # recipients of one report; our mails have one
report_text_chars_max = 64 * 1024  # of an old-fashioned bounce: the reason stands before the mail that it quotes
report_ids_max = 5

# -- what we send ----------------------------------------------------------------------------------------------
base64_sent_bytes = 57 * 4096  # of a file at a time; 57 bytes make one line of 76
filename_sent_chars_max = 150  # longer ones are cut by file systems anyway
references_sent_max = 10  # first and last nine: enough for every client to thread

# -- authentication --------------------------------------------------------------------------------------------
authentication_headers_max = 20  # Authentication-Results looked at; each server on the way adds one
authentication_chars_max = 8_192  # of one; with ten DKIM signatures it has 2,000

# -- winmail.dat and calendars ---------------------------------------------------------------------------------
tnef_attributes_max = 2_000  # some 20 of the message and 5 of each file
tnef_properties_max = 2_000  # of a message or a file; Outlook writes some 100
tnef_depth_max = 3  # messages within messages
rtf_bytes_max = 1 * MIB  # decompressed; byte by byte, that is half a second
rtf_guesses_max = (
    2_000  # runs of one document whose charset is doubted (25 us each); later ones are in the named code page
)
rtf_groups_max = 1_000  # open at once; Outlook nests some 10
calendar_chars_max = 256 * 1024  # of an invitation; its time zones come first and have some 5,000
