"""A Jupyter server's kernel websocket comes in; one that sends each message at once goes out.

A server leaves Nagle's algorithm on: a message waits about 40 ms for the receipt of the one before, and ipywidgets sends the
next value of a slider only then, so that no figure shows more than 20 frames a second. `jupyter_server_config.d/playground.json`
turns this on, as a server extension, wherever the package is installed: of the files in such a folder, a server reads nothing
but which extensions to load.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

SETTING = "kernel_websocket_connection_class"


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's own connection, without delay."""

    def connect(self) -> Any:
        """Turn the delay off, then connect as ever."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Use the class for all kernels, unless somebody has chosen another than the server's own."""
    settings = server.web_app.settings
    if settings.get(SETTING) is ZMQChannelsWebsocketConnection:
        settings[SETTING] = PromptConnection
