"""Dialogues in chats that ask a person for the input of a transition: its fields, its comment, its confirmation.

A button or a command starts a dialogue. It asks one question at a time, with the choices as buttons. Each answer is
checked by the field's model; a wrong one is asked for again. The person can leave at each question, and a dialogue
without an answer expires. The state is a row, so a restart changes nothing. The transition is taken after the last
answer, in one transaction with the end of the dialogue.

An edit of an answer has no effect, and is no message either. A person has one dialogue in a chat; a new one replaces
it. Only the person whose dialogue it is can answer, as long as the person may move the ticket.
"""
