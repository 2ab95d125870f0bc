"""A Jupyter server comes in; kernel websockets that send each message at once go out.

A server leaves Nagle's algorithm on: a message waits about 40 ms for the receipt of the one before, and ipywidgets sends the
next value of a slider only then, so that no figure shows more than 20 frames a second. This server extension turns it off;
`jupyter_server_config.d/playground.json` switches the extension on wherever the package is installed. By hand:

    jupyter server extension enable playground.server
    jupyter lab --ServerApp.kernel_websocket_connection_class=playground.server.PromptConnection    # the same without the extension
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


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "playground.server"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Take the class, unless another one was asked for: a gateway's, or one that somebody named."""
    if app.kernel_websocket_connection_class is ZMQChannelsWebsocketConnection:
        app.kernel_websocket_connection_class = PromptConnection
        app.web_app.settings["kernel_websocket_connection_class"] = PromptConnection  # what each new websocket asks
