"""A Jupyter server's kernel websocket comes in; one that sends each message at once goes out.

A server leaves Nagle's algorithm on: a message waits about 40 ms for the receipt of the one before, and ipywidgets sends the
next value of a slider only then, so that no figure shows more than 20 frames a second. `jupyter_server_config.d/playground.json`
turns this class on wherever the package is installed. By hand:

    jupyter lab --ServerApp.kernel_websocket_connection_class=playground.server.PromptConnection
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's own connection, without delay."""

    def connect(self) -> Any:
        """Turn the delay off, then connect as ever."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
