"""The server extension is enabled by default, and sends to kernels' websockets without delay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from playground import server

SERVER = """
import gc, json, socket, sys
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.websocket import websocket_connect

async def look(app):
    kernel = await app.kernel_manager.start_kernel()  # meanwhile the server has got its port
    place = f"127.0.0.1:{app.port}/api/kernels/{kernel}"
    client = await websocket_connect(f"ws://{place}/channels?token=t")
    await client.read_message()  # the kernel has said something: the connection stands
    handler = next(one for one in gc.get_objects() if isinstance(one, KernelWebsocketHandler))
    stream = handler.ws_connection.stream
    delay = stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    print(json.dumps([type(handler.connection).__name__, delay]))
    client.close()
    await app.kernel_manager.shutdown_all()

app = ServerApp()
options = ["--port=0", "--ip=127.0.0.1", "--no-browser", "--allow-root"]
app.initialize([*options, "--IdentityProvider.token=t", *sys.argv[1:]])
app.io_loop.run_sync(lambda: look(app))
"""


STATES = """
import json, sys, uuid
from jupyter_server.serverapp import ServerApp
from playground import server
from tornado.websocket import websocket_connect

TARGET = '''
import os, time
from comm import get_comm_manager

def work(message):
    tries = 0
    while message["content"]["data"]["waits"] and not os.path.exists("seen busy") and tries < 6000:
        time.sleep(0.01)
        tries += 1

get_comm_manager().register_target("t", lambda comm, _: comm.on_msg(work))
'''

async def look(app):
    kernel = await app.kernel_manager.start_kernel()
    place = f"127.0.0.1:{app.port}/api/kernels/{kernel}"
    client = await websocket_connect(f"ws://{place}/channels?token=t")
    seen = []

    async def ask(kind, **content):
        name = uuid.uuid4().hex
        header = {"msg_id": name, "msg_type": kind, "session": "s", "username": "u"}
        header |= {"version": "5.3", "date": "2020-01-01T00:00:00Z"}
        message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}}
        await client.write_message(json.dumps({**message, "content": content, "buffers": []}))
        states = []
        while "idle" not in states:
            message = json.loads(await client.read_message())
            if message["msg_type"] == "status" and message["parent_header"].get("msg_id") == name:
                states.append(message["content"]["execution_state"])
                if states == ["busy"] and kind == "comm_msg":
                    open("seen busy", "w").close()
        return states

    options = {"silent": False, "store_history": False, "user_expressions": {}}
    seen.append(await ask("execute_request", code=TARGET, allow_stdin=False, **options))
    await ask("comm_open", comm_id="c", target_name="t", data={})
    for waits in (False, True):  # the slow one works until it is shown as busy
        server.BUSY_SECONDS = 0 if waits else 3600
        seen.append(await ask("comm_msg", comm_id="c", data={"waits": waits}))
    print(json.dumps(seen))
    client.close()
    await app.kernel_manager.shutdown_all()

app = ServerApp()
options = ["--port=0", "--ip=127.0.0.1", "--no-browser", "--allow-root"]
app.initialize([*options, "--IdentityProvider.token=t"])
app.io_loop.run_sync(lambda: look(app))
"""


def test_kernels_get_one_thread_for_blas_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", {"MKL_NUM_THREADS": "4"})
    server._load_jupyter_server_extension(SimpleNamespace(kernel_websocket_connection_class=None))
    assert {os.environ[name] for name in server.THREADS} == {"1", "4"}
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def connection(folder: Path, *options: str) -> Any:
    """Return the class of a server's connection, and 1 if its socket sends at once."""
    return said(folder, SERVER, *options)


def said(folder: Path, script: str, *options: str) -> Any:
    """Run a server's script, and return its last output."""
    done = subprocess.run(
        [sys.executable, "-c", script, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.long
def test_a_server_sends_at_once_wherever_the_package_is_installed(tmp_path: Path) -> None:
    assert connection(tmp_path) == ["PromptConnection", 1]


@pytest.mark.long
@pytest.mark.parametrize("how", ["another class", "no extension"])
def test_another_configured_class_stays(how: str, tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(
        "from jupyter_server.services.kernels.connection import channels\n"
        "class Other(channels.ZMQChannelsWebsocketConnection): pass\n"
    )
    option = {
        "another class": "--ServerApp.kernel_websocket_connection_class=other.Other",
        "no extension": "--ServerApp.jpserver_extensions={'playground.server': False}",
    }[how]
    assert (
        connection(tmp_path, option)[0]
        == {"another class": "Other", "no extension": "ZMQChannelsWebsocketConnection"}[how]
    )


@pytest.mark.long
def test_only_a_slow_slider_makes_the_kernel_busy(tmp_path: Path) -> None:
    cell, soon, late = said(tmp_path, STATES)
    assert (cell, soon, late) == (["busy", "idle"], ["idle"], ["busy", "idle"])
