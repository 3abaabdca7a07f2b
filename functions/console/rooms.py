"""The rooms of the console, in the order in which their styles follow each other."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
ROOMS: Final = ("frame", "door", "inbox", "ticket", "profile", "portal", "sandbox")
