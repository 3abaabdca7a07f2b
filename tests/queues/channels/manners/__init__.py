"""How each channel's other side behaves, for the suite that every channel passes: one module per folder in
`queues/channels`.
"""
