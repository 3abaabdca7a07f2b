"""The conversion of an update to the types of the channel port: text, entities, files, author, place and details.

The functions are pure and accept JSON of any shape.
"""
