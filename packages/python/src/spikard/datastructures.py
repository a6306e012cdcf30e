"""Values with a protocol of their own: addresses, header fields, pairs of a query, forms and their files."""

from __future__ import annotations

from ._headers import Headers
from ._request import URL, FormFields, QueryParams
from ._state import State
from ._upload import UploadFile

__all__ = ["URL", "FormFields", "Headers", "QueryParams", "State", "UploadFile"]
