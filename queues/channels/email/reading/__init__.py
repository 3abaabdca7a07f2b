"""Reader of raw mail: MIME parts, headers, charsets, transfer encodings, TNEF, RTF and calendar files.

Without it, the standard library would need seconds or a deep stack for a hostile mail. `README.md` describes the
package. It imports nothing of Nestor but the bounds and the text helpers of the channels.
"""
