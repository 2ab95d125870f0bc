"""A worker process comes in; from then on it ends when its parent does, however that ended."""

from __future__ import annotations

import os
import threading
from multiprocessing import parent_process


def end_with_parent() -> None:
    """Leave no worker behind when the command that started it is killed; an initializer for process pools."""

    def watch() -> None:
        if parent := parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
