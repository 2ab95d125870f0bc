"""Nothing comes in; imported before anything that reads notebooks, it spares a command two and a half seconds.

jsonschema, which nbformat needs, builds a whole parser for its rarest check (of the syntax of an IRI) when it is imported. Where that
package is missing it leaves the check out, and no notebook's format asks for it.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
