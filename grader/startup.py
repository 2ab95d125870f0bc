"""Skip jsonschema's slow IRI parser, which takes 2.5 s to import. Import this before nbformat.

jsonschema, which nbformat needs, builds a whole parser for its rarest check (of the syntax of an IRI) when it is imported. Where that
package is missing it leaves the check out, and no notebook's format asks for it.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
