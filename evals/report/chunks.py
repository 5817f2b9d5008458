"""Data inside an HTML page: as JSON that cannot end its script element, or packed into pieces unpacked when needed."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Final

from pydantic import JsonValue

LONGEST_DATA_URL: Final = 200
"""Characters. Longer ones are images; a page names them and leaves them out."""
_ESCAPES: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def json_block(name: str, value: JsonValue) -> bytes:
    """A script element that holds `value` as JSON and runs nothing. The page reads it by its id, `name`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
    # Half a surrogate pair, which UTF-8 does not have, becomes `\ud800`: in JSON that is the same character.
    encoded = text.encode("utf-8", "backslashreplace")
    return b'<script type="application/json" id="%s">%s</script>\n' % (name.encode(), encoded)


def packed(value: JsonValue) -> bytes:
    """`value` as JSON, deflated, in base64."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("utf-8", "backslashreplace"), level=6))


def packed_block(name: str, content: bytes) -> bytes:
    """A script element that holds what `packed` made and runs nothing."""
    return b'<script type="text/plain" id="%s">%s</script>\n' % (name.encode(), content)


def without_images(value: JsonValue) -> JsonValue:
    """The same value with embedded images replaced by what they were."""
    if isinstance(value, str):
        if len(value) > LONGEST_DATA_URL and value.startswith("data:"):
            kind = value[5:].partition(";")[0].partition(",")[0][:40]
            return f"[{kind or 'data'}, {len(value) * 3 / 4 / 1000:,.0f} kB, not in this report]"
        return value
    if isinstance(value, list):
        return [without_images(item) for item in value]
    if isinstance(value, dict):
        return {key: without_images(item) for key, item in value.items()}
    return value
