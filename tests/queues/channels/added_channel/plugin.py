"""A pytest plugin: a session in which the folder ADDED_CHANNELS holds one more channel, its manners and a
`workflow_defs`.

The folder extends the two packages' search paths. No file of the repository names the channel.
"""

from __future__ import annotations

import os
from pathlib import Path

from queues import channels
from scripts import defs
from tests.queues.channels import manners

_FOLDER = Path(os.environ["ADDED_CHANNELS"])
channels.__path__.append(str(_FOLDER / "channels"))
channels.names.cache_clear()
manners.__path__.append(str(_FOLDER / "manners"))
defs.ROOT = _FOLDER / "workflow_defs"
defs.read_all.__defaults__ = (defs.ROOT,)
