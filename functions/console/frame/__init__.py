"""The frame of the console: sessions, pages, errors, navigation, texts, files and components."""
