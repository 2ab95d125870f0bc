"""A server extension that lets figures move quickly: prompt messages, and one thread for BLAS.

By default a server leaves Nagle's algorithm on: a message waits about 40 ms for the receipt of the
one before, and as ipywidgets waits for it too, no figure shows more than 20 frames a second. This
extension turns it off. A kernel also reports "busy" and "idle" for each value of a slider, and
JupyterLab draws both, a fifth of its work during a drag: a slider's "busy" is held back for a
moment, and dropped if "idle" follows in time.

Kernels inherit the server's environment. With a thread for each processor, BLAS multiplies the
course's small matrices no faster, and its waiting threads keep a busy machine from other work.

`jupyter_server_config.d/playground.json` enables the extension for every installation.
"""

from __future__ import annotations

import os
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.ioloop import IOLoop

BUSY_SECONDS = 0.05
"""A kernel that answers a slider sooner is not reported as busy."""

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Environment variables with the number of threads of a BLAS library."""


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's own connection, without delay."""

    # Overrides two methods; tests/playground/test_server.py notices a change of the library.

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._held: dict[str, Any] = {}

    def connect(self) -> Any:
        """Turn the delay off and connect."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Send a message to the browser; a slider's "busy" later, or never."""
        state, slider = self._state(outgoing_msg)
        if slider and state == "busy":
            self._held[slider] = IOLoop.current().call_later(
                BUSY_SECONDS, self._send_held, slider, stream, outgoing_msg
            )
            return
        if slider in self._held and state == "idle":
            IOLoop.current().remove_timeout(self._held.pop(slider))
        super().handle_outgoing_message(stream, outgoing_msg)

    def _state(self, message: list[Any]) -> tuple[str, str]:
        """Return a status message's state and the id of the slider's message that caused it."""
        parts: list[Any] = self.session.feed_identities(message)[1]
        _, header, parent, _, content = parts[:5]
        if b'"status"' not in header or b'"comm_msg"' not in parent:
            return "", ""
        origin = self.session.unpack(parent)
        slider = origin["msg_id"] if origin["msg_type"] == "comm_msg" else ""
        return self.session.unpack(content).get("execution_state", ""), slider

    def _send_held(self, slider: str, stream: Any, message: list[Any]) -> None:
        del self._held[slider]
        if not stream.closed() and self.websocket_handler.ws_connection is not None:
            super().handle_outgoing_message(stream, message)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "playground.server"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Set what is not set otherwise: the connection's class, and the threads of BLAS."""
    for name in THREADS:
        os.environ.setdefault(name, "1")
    if app.kernel_websocket_connection_class is ZMQChannelsWebsocketConnection:
        app.kernel_websocket_connection_class = PromptConnection
        # read for each new websocket
        app.web_app.settings["kernel_websocket_connection_class"] = PromptConnection
