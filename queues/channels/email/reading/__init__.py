"""Read raw mail: MIME parts, headers, charsets, transfer encodings, TNEF, RTF and calendar files.

Imports nothing of ours but the bounds of mail and the text helpers of the channels.
"""
