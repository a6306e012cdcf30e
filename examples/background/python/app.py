"""A shop that answers at once and does the rest behind the response: a receipt by mail, and a report of the day as a
stream.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from msgspec import Struct
from spikard import BackgroundConfig, HTTPException, Spikard, StreamingResponse, background


class Order(Struct):
    item: str
    count: int = 1


@dataclass
class Shop:
    """What a database and a mail server would hold."""

    stock: dict[str, int]
    orders: list[Order] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)


shop = Shop(stock={"lamp": 3, "chair": 1})
app = Spikard(background_tasks=BackgroundConfig(max_queue=100, max_concurrent=4, drain_timeout=10))


async def send_receipt(order: Order) -> None:
    # A mail server takes its time; the customer does not wait for it.
    await asyncio.sleep(0.01)
    shop.receipts.append(f"{order.count} x {order.item}")


@app.post("/orders", status_code=202)
async def buy(order: Order) -> Order:
    background.run(send_receipt, order)
    if shop.stock.get(order.item, 0) < order.count:
        # The request fails, and takes its receipt back.
        raise HTTPException(409, f"not enough of {order.item}")
    shop.stock[order.item] -= order.count
    shop.orders.append(order)
    return order


@app.get("/receipts")
async def receipts() -> list[str]:
    return shop.receipts


async def lines() -> AsyncIterator[str]:
    yield "item,count\n"
    for order in shop.orders:
        yield f"{order.item},{order.count}\n"
        await asyncio.sleep(0)


@app.get("/report.csv")
async def report() -> StreamingResponse:
    return StreamingResponse(lines(), media_type="text/csv")


if __name__ == "__main__":
    app.run()
