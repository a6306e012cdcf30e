"""The bodies that are posted. Every number gives another body of the same size, so that nothing can be answered from a
cache, and the sizes are asserted where the bodies are made.
"""

from __future__ import annotations

import json
import struct

SIZES = {"small": 86, "medium": 1_500, "large": 15_000, "very-large": 150_000}
TOLERANCE = 0.02


def encoded(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def packed(value: object) -> bytes:
    """MessagePack, of what the bodies here are made of."""
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b"".join(packed(name) + packed(member) for name, member in value.items())
    if isinstance(value, str):
        written = value.encode()
        return (bytes([0xA0 | len(written)]) if len(written) < 32 else b"\xd9" + bytes([len(written)])) + written
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, int):
        return b"\xce" + struct.pack(">I", value)
    raise TypeError(f"no MessagePack is written of {type(value).__name__}")


def item(number: int) -> dict[str, object]:
    """An item of 86 bytes."""
    serial = number % 90_000 + 10_000
    return {"name": f"Item {serial}", "description": "Small and simple.", "price": 19.99, "quantity": serial}


def order(number: int) -> dict[str, object]:
    """An order of 1.5 KB: a customer with an address, and a line for each item."""
    serial = number % 90_000 + 10_000
    return {
        "id": serial,
        "reference": f"ORD-2026-{serial}",
        "paid": True,
        "customer": {
            "name": f"Customer {serial}",
            "email": f"customer.{serial}@example.com",
            "address": {
                "street": "221b Baker Street",
                "city": "London",
                "postcode": "NW1 6XE",
                "country": "United Kingdom",
            },
        },
        "lines": [
            {
                "sku": f"SKU-{serial}-{place:02}",
                "title": f"Article number {place:02}",
                "quantity": place,
                "price": 10.5 + place,
                "discount": None if place % 2 else 0.25,
                "tags": ["books", "paper"],
            }
            for place in range(10, 19)
        ],
        "note": "Leave the parcel with the neighbour. " * 5,
    }


def batch(number: int, count: int) -> dict[str, object]:
    """Several orders in one body."""
    return {"source": "benchmark", "orders": [order(number * count + place) for place in range(count)]}


MAKERS = {
    "small": item,
    "medium": order,
    "large": lambda number: batch(number, 10),
    "very-large": lambda number: batch(number, 100),
}


def body(size: str, number: int) -> bytes:
    """The body of that size with that number; a body that has not its size is an error of this file."""
    made = encoded(MAKERS[size](number))
    wanted = SIZES[size]
    slack = 0 if size == "small" else wanted * TOLERANCE
    if abs(len(made) - wanted) > slack:
        raise AssertionError(f"a body called {size} has {len(made)} bytes, wanted {wanted}")
    return made
