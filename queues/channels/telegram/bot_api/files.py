"""Fetch the files of a message: the update only names them, and Telegram keeps the bytes for a while.

Source: https://core.telegram.org/bots/api#getfile.

The address of the bytes holds the bot's token, so it exists inside `bots.download` only: never stored, logged or shown.
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
    """The bytes of a file as a temporary file, at its beginning; the caller closes it, and with that it is gone.

    Raises TooLarge, PermanentFailure (unknown to this bot, or no longer there) and TransientFailure.
    """
    path = _path_of(token, file_id, api_url)
    with ExitStack() as stack:
        spool = stack.enter_context(tempfile.TemporaryFile())
        try:
            bots.download(token, api_url, path, spool, bytes_max=limits.telegram_download_bytes_max)
        except bots.TooLarge:
            raise TooLarge(TOO_BIG) from None
        except httpx.HTTPStatusError as error:
            # Its link is gone (404) or the server is unwell: either way getFile makes a new link the next time.
            raise TransientFailure(f"the download was answered with {error.response.status_code}") from None
        except (httpx.HTTPError, bots.NoAnswer) as error:
            raise TransientFailure(f"the download broke off ({type(error).__name__})") from None
        spool.seek(0)
        stack.pop_all()
        return spool


def _path_of(token: str, file_id: str, api_url: str) -> str:
    """What getFile answers, as a path below /file/bot<token>/."""
    try:
        file = bots.call(token, api_url, "get_file", timeout_s=limits.send_read_timeout_s, file_id=file_id)
    except BadRequest as error:
        if "file is too big" in error.message.lower():
            raise TooLarge(TOO_BIG) from None
        raise PermanentFailure(f"Telegram does not give the file: {errors.said(error)}") from None
    except RetryAfter as error:
        raise TransientFailure("Telegram asks to wait", retry_after_s=errors.seconds(error.retry_after)) from None
    except TelegramError as error:
        raise TransientFailure(f"getFile failed: {errors.outcome_of(error).detail}") from None
    except bots.NoAnswer as error:
        raise TransientFailure(str(error)) from None
    path = file.get("file_path") if isinstance(file, dict) else None
    if not isinstance(path, str) or not path or path.startswith("/"):
        # A Bot API server of one's own in `--local` mode names a file on its own disk, which is not ours to open.
        raise PermanentFailure("the Bot API server gave no address to load the file from (is it in local mode?)")
    return path
