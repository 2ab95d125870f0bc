"""Skip jsonschema's slow IRI parser (2.5 s). Import this module before nbformat.

nbformat imports jsonschema, which builds a parser for the syntax of IRIs unless that package is
missing. No notebook format needs it.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
