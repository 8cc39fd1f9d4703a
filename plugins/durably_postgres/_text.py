"""Text that PostgreSQL can hold: any but NUL, for which an escape stands."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SIZE: Final = 16


def stored(text: str) -> str:
    r"""Return *text* with ``\0`` in the place of NUL, and the backslash doubled."""
    if "\\" not in text and "\0" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\0", "\\0")


def restored(text: str) -> str:
    """Return what :func:`stored` was given."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: "\0" if found[1] == "0" else found[1], text)


def digest(*parts: str) -> bytes:
    """Return what stands for texts in an index, which may not hold longer ones.

    Raises:
        UnicodeEncodeError: A text is not valid Unicode.
    """
    found = hashlib.blake2b(digest_size=_SIZE, person=b"durably")
    for part in parts:
        data = part.encode()
        found.update(len(data).to_bytes(8, "big") + data)
    return found.digest()
