"""The language in which an account's YAML describes a service.

It has paths into an event, texts with placeholders, conditions and signatures. Two channels read it: the generic
webhook channel, and e-mail by a described provider.

Nothing here is executed as code: a description chooses and copies values. The rooms of the channels do not import each
other, so what both need is here.
"""
