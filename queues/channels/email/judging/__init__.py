"""Judge a mail: who sent it, what proves that, to whom it went, whether a person wrote it, and what a bounce says."""
