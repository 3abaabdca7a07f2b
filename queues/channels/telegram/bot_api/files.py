"""The download of a message's files by file_id. Telegram stores the bytes for a limited time.

Source: https://core.telegram.org/bots/api#getfile.

The URL of the bytes contains the bot's token, so only `bots.download` handles it. It is never stored, logged or shown.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import BinaryIO

import httpx
from telegram.error import BadRequest, RetryAfter, TelegramError

from models.kernel import limits
from models.kernel.errors import PermanentFailure, TooLarge, TransientFailure
from queues.channels.telegram.bot_api import bots, errors

TOO_BIG = "the file is larger than the 20 MB that Telegram gives to a bot"


def fetch(token: str, file_id: str, *, api_url: str) -> BinaryIO:
    """Download a file into a temporary file, positioned at its start. The caller closes it, which deletes it.

    Raises TooLarge, PermanentFailure (unknown to this bot, or no longer stored) and TransientFailure.
    """
    path = _path_of(token, file_id, api_url)
    with ExitStack() as stack:
        spool = stack.enter_context(tempfile.TemporaryFile())
        try:
            bots.download(token, api_url, path, spool, bytes_max=limits.telegram_download_bytes_max)
        except bots.TooLarge:
            raise TooLarge(TOO_BIG) from None
        except httpx.HTTPStatusError as error:
            # The link has expired (404) or the server failed. The next attempt gets a new link from getFile.
            raise TransientFailure(f"the download was answered with {error.response.status_code}") from None
        except (httpx.HTTPError, bots.NoAnswer) as error:
            raise TransientFailure(f"the download broke off ({type(error).__name__})") from None
        spool.seek(0)
        stack.pop_all()
        return spool


def _path_of(token: str, file_id: str, api_url: str) -> str:
    """Call getFile and return the file's path below /file/bot<token>/."""
    try:
        file = bots.call(token, api_url, "get_file", timeout_s=limits.send_read_timeout_s, file_id=file_id)
    except BadRequest as error:
        if "file is too big" in error.message.lower():
            raise TooLarge(TOO_BIG) from None
        raise PermanentFailure(f"Telegram does not give the file: {errors.description(error)}") from None
    except RetryAfter as error:
        raise TransientFailure("Telegram asks to wait", retry_after_s=errors.seconds(error.retry_after)) from None
    except TelegramError as error:
        raise TransientFailure(f"getFile failed: {errors.outcome_of(error).detail}") from None
    except bots.NoAnswer as error:
        raise TransientFailure(str(error)) from None
    path = file.get("file_path") if isinstance(file, dict) else None
    if not isinstance(path, str) or not path or path.startswith("/"):
        # A self-hosted Bot API server in `--local` mode returns a path on its own disk, which this process cannot open.
        raise PermanentFailure("the Bot API server gave no address to load the file from (is it in local mode?)")
    return path
