"""Values with a protocol of their own: header fields, and files of a form."""

from __future__ import annotations

from ._headers import Headers
from ._state import State
from ._upload import UploadFile

__all__ = ["Headers", "State", "UploadFile"]
