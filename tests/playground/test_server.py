"""The server class: it is what the shipped configuration names, and it turns the delay off before it connects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from playground import server


def test_the_shipped_configuration_names_the_class() -> None:
    shipped = Path(server.__file__).parent / "jupyter_server_config.d" / "playground.json"
    name = json.loads(shipped.read_text())["ServerApp"]["kernel_websocket_connection_class"]
    assert name == f"{server.PromptConnection.__module__}.{server.PromptConnection.__name__}"


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
