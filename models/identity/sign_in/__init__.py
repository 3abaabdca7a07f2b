"""Sessions of people: their tokens, their devices, the list of them, and the limits of wrong attempts."""
