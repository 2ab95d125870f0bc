"""JupyterHub on one machine, see docs/class-server.md: who has an account there and is in the group `course` logs in and works in their own home."""

import os
import sys
from pathlib import Path

programs = Path(sys.prefix) / "bin"

c = get_config()  # noqa: F821 (traitlets gives it to the file)

c.JupyterHub.bind_url = (
    "http://127.0.0.1:8000"  # what stands before it, nginx or Caddy, brings HTTPS
)
c.Authenticator.allowed_groups = {"course"}
c.Spawner.cmd = [str(programs / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {
    "PATH": os.pathsep.join([str(programs), "/usr/local/bin", "/usr/bin", "/bin"])
}
c.ConfigurableHTTPProxy.command = [
    str(Path(sys.prefix) / "proxy" / "node_modules" / ".bin" / "configurable-http-proxy")
]
