"""Run the sandbox: `python -m scripts.sandbox --data-dir DIR --ports-file FILE`."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

from scripts.sandbox import control, limits
from scripts.sandbox.control import Control
from scripts.sandbox.faults import BotFault, FaultBook, MailFault
from scripts.sandbox.files import FileStore
from scripts.sandbox.httpd import HttpServer
from scripts.sandbox.outbox import Outbox, OutboxUnusable
from scripts.sandbox.smtp import MailServer
from scripts.sandbox.telegram import bot_api
from scripts.sandbox.telegram.bot_api import BotApi, BotSettings
from scripts.sandbox.telegram.bot_chats import Chats
from scripts.sandbox.telegram.bot_context import Context
from scripts.sandbox.telegram.bot_messages import SentMessages
from scripts.sandbox.telegram.updates import Bots

log = logging.getLogger("nestor.sandbox")


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        return asyncio.run(_run(arguments))
    except OutboxUnusable as error:
        print(f"sandbox: {error}", file=sys.stderr)
    except OSError as error:
        print(f"sandbox: cannot start: {error}", file=sys.stderr)
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.sandbox", description="Run a fake Telegram Bot API and a mail catcher."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    for name in ("bot", "smtp", "control"):
        parser.add_argument(
            f"--{name}-port", type=int, default=0, help="port to listen on; 0 (default) takes a free port"
        )
    parser.add_argument(
        "--data-dir", type=Path, required=True, help="folder of outbox.jsonl and files/, kept over restarts"
    )
    parser.add_argument("--ports-file", type=Path, help="write the ports to this file as JSON when all of them listen")
    parser.add_argument("--rate-limits", action="store_true", help="answer 429 above the rate limits of Telegram")
    parser.add_argument(
        "--exit-with-stdin",
        action="store_true",
        help="stop when standard input closes, which means that the parent process ended",
    )
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> int:
    if arguments.ports_file is not None:
        arguments.ports_file.unlink(missing_ok=True)  # one from an earlier run would name dead ports
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if arguments.exit_with_stdin:
        loop.add_reader(sys.stdin.fileno(), _stop_at_end, stop)
    outbox = Outbox(arguments.data_dir)
    files = FileStore(arguments.data_dir)
    bot_faults: FaultBook[BotFault] = FaultBook()
    mail_faults: FaultBook[MailFault] = FaultBook()
    bots = Bots()
    settings = BotSettings(rate_limits=arguments.rate_limits)
    chats = Chats()
    chats.restore(list(outbox))
    context = Context(outbox, files, bots, SentMessages(list(outbox)), chats)
    bot = BotApi(context, faults=bot_faults, settings=settings)
    controller = Control(
        context,
        bot_faults=bot_faults,
        mail_faults=mail_faults,
        settings=settings,
    )
    servers: dict[str, HttpServer | MailServer] = {
        "bot_port": HttpServer(bot.handle, bot_api.error_form),
        "smtp_port": MailServer(outbox, mail_faults),
        "control_port": HttpServer(controller.handle, control.error_form),
    }
    try:
        ports = {name: await server.start(arguments.host, getattr(arguments, name)) for name, server in servers.items()}
        if arguments.ports_file is not None:
            _write_ports(arguments.ports_file, {"host": arguments.host, "pid": os.getpid(), **ports})
        await stop.wait()
        async with asyncio.timeout(limits.STOP_S_MAX / 2):  # the rest of the time is for the interpreter's own end
            for server in servers.values():
                await server.close()
    except TimeoutError:
        log.warning("stopped_with_open_connections")
    finally:
        outbox.close()
        if arguments.ports_file is not None:
            arguments.ports_file.unlink(missing_ok=True)
    return 0


def _stop_at_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), limits.KIB):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


def _write_ports(path: Path, ports: dict[str, int | str]) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(json.dumps(ports) + "\n")
    os.replace(partial, path)


if __name__ == "__main__":
    sys.exit(main())
