"""The server class: a server with the shipped configuration uses it, and it turns the delay off before it connects."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from playground import server


def test_a_server_that_reads_the_shipped_configuration_uses_the_class(tmp_path: Path) -> None:
    shipped = Path(server.__file__).parent / "jupyter_server_config.d"
    shutil.copytree(shipped, tmp_path / "config" / "jupyter_server_config.d")
    script = (
        "from jupyter_server.serverapp import ServerApp; app = ServerApp(); "
        "app.initialize(['--no-browser', '--port=0', '--allow-root', '--log-level=ERROR'], new_httpserver=False); "
        "print(app.web_app.settings['kernel_websocket_connection_class'])"
    )
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "<class 'playground.server.PromptConnection'>", done.stderr


def test_a_class_that_somebody_has_chosen_stays() -> None:
    class Other(ZMQChannelsWebsocketConnection):
        pass

    app = SimpleNamespace(web_app=SimpleNamespace(settings={server.SETTING: Other}))
    server._load_jupyter_server_extension(app)
    assert app.web_app.settings[server.SETTING] is Other


def test_the_delay_is_off_before_the_connection_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda self: done.append("connect"))

    class Handler:
        def set_nodelay(self, on: bool) -> None:
            done.append(on)

    connection = server.PromptConnection.__new__(server.PromptConnection)
    monkeypatch.setattr(server.PromptConnection, "websocket_handler", Handler())
    connection.connect()
    assert done == [True, "connect"]
