"""Operations that sort out tickets: merge, split, link, tag, snooze, delete, change many at once, and undo."""
