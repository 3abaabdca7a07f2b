"""The fake Bot API: its server, its methods, its chats and the people in them."""
