"""JupyterHub on one machine: accounts in the group `course` may log in (docs/class-server.md)."""

import os
import sys
from pathlib import Path

programs = Path(sys.prefix) / "bin"

c = get_config()  # noqa: F821 (traitlets gives it to the file)

# nginx or Caddy in front of it adds HTTPS.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.Authenticator.allowed_groups = {"course"}
c.Spawner.cmd = [str(programs / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {
    "PATH": os.pathsep.join([str(programs), "/usr/local/bin", "/usr/bin", "/bin"])
}
c.ConfigurableHTTPProxy.command = [
    str(Path(sys.prefix) / "proxy" / "node_modules" / ".bin" / "configurable-http-proxy")
]
