"""Operations for what an agent writes: drafts, scheduled messages, saved replies, macros, signatures, side
conversations.
"""
