"""The Worker that our README ships, run by Node: what it posts passes our door, and a refusal makes Cloudflare come
again.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.ports.inbound import IngressRequest
from queues.channels.email import ingress
from tests.queues.channels import golden
from tests.queues.channels.email.providers import recorded

NODE = shutil.which("node")
_timeout_s = 60.0
_PLAY = """
import worker from "./worker.mjs";
import { readFileSync } from "node:fs";
const [mail, status] = process.argv.slice(2);
globalThis.fetch = async (url, { method, headers, body }) => {
  console.log(JSON.stringify({ url, method, headers, body: Buffer.from(body).toString("base64") }));
  return new Response("", { status: Number(status) });
};
const message = { from: "ada@example.test", to: "desk@example.test", raw: new Blob([readFileSync(mail)]).stream() };
try { await worker.email(message, { DESK_URL: "https://desk.example.test/webhooks/email/cf", DESK_KEY: "a key \\u00e4" }); }
catch (error) { console.log(JSON.stringify({ thrown: error.message })); }
"""


@pytest.fixture
def played(tmp_path: Any) -> Any:
    """Runs the README's script with a mail, and gives the lines that it wrote."""
    if NODE is None:
        pytest.skip("node is not installed on this machine")
    readme = (recorded.FOLDERS / "cloudflare/README.md").read_text(encoding="utf-8")
    [script] = re.findall(r"```js\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "worker.mjs").write_text(script, encoding="utf-8")
    (tmp_path / "play.mjs").write_text(_PLAY, encoding="utf-8")

    def play(status: int) -> list[dict[str, Any]]:
        mail = recorded.one("cloudflare/attachment.eml").path
        done = subprocess.run(
            [NODE, "play.mjs", str(mail), str(status)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=_timeout_s,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return play


def test_what_the_shipped_worker_posts_is_believed(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    [told] = played(200)

    monkeypatch.setenv("NESTOR_SECRET_CF_KEY", "a key ä")
    config = {"provider": "cloudflare", "signing_key": {"secret": "cf_key"}}
    account = ChannelAccount("email", "cf", 1, config)
    headers = {name.lower(): value for name, value in told["headers"].items()}
    request = IngressRequest(headers, base64.b64decode(told["body"]), headers["content-type"])
    assert (told["method"], told["url"]) == ("POST", "https://desk.example.test/webhooks/email/cf")
    assert request.body == recorded.one("cloudflare/attachment.eml").request.body
    assert ingress.authenticate(headers, {}, account, golden.settings()) is False
    ingress.verify(request, account, golden.settings())
    [event] = ingress.receive(request, account).events
    assert event.key.envelope == {
        "from": "ada@example.test",
        "to": "desk@example.test",
        "provider": "cloudflare",
    }


def test_a_desk_that_is_away_makes_the_worker_throw(played: Any) -> None:
    assert played(503)[1] == {"thrown": "the desk answered 503"}
