"""The floor under the curve of bodies: a loop over sockets that decodes and encodes: `python app.py PORT`."""

import select
import socket
import sys

import msgspec
from msgspec import Struct


class Item(Struct):
    name: str
    description: str
    price: float
    quantity: int


class Address(Struct):
    street: str
    city: str
    postcode: str
    country: str


class Customer(Struct):
    name: str
    email: str
    address: Address


class Line(Struct):
    sku: str
    title: str
    quantity: int
    price: float
    discount: float | None
    tags: list[str]


class Order(Struct):
    id: int
    reference: str
    paid: bool
    customer: Customer
    lines: list[Line]
    note: str


class Batch(Struct):
    source: str
    orders: list[Order]


encode = msgspec.json.Encoder().encode
BODIES = {b"/json/small": msgspec.json.Decoder(Item).decode, b"/json/large": msgspec.json.Decoder(Batch).decode}
ROOM = 262_144
HEAD = 1_024


def answer(head: bytes, body: memoryview) -> list[bytes]:
    target = head.split(b" ", 2)[1]
    if target == b"/plaintext":
        return [b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n", b"up"]
    status, kind = b"200 OK", b"application/json"
    try:
        said = encode(BODIES[target](body))
    except ValueError as refused:
        status, said = b"422 Unprocessable Content", encode({"detail": f"{refused}"})
    head = b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
    return [head % (status, kind, len(said)), said]


def length(head: bytes) -> int:
    _, named, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if named else 0


class Link:
    """A connection: what it has sent, and what it has still to get. It asks again when it has its answer."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.received = memoryview(bytearray(ROOM))
        self.filled = 0
        self.left: list[memoryview] = []

    def read(self) -> bool:
        """Takes what there is, answers a whole request; whether the connection is still there."""
        count = self.link.recv_into(self.received[self.filled :])
        self.filled += count
        start = bytes(self.received[: min(self.filled, HEAD)])
        end = start.find(b"\r\n\r\n") + 4
        if end >= 4 and self.filled >= (whole := end + length(start[:end])):
            self.left = [memoryview(one) for one in answer(start, self.received[end:whole])]
            self.filled = 0
            self.write()
        return bool(count)

    def write(self) -> None:
        """Sends what the other side takes."""
        try:
            while self.left:
                sent = self.link.sendmsg(self.left)
                while self.left and sent >= len(self.left[0]):
                    sent -= len(self.left.pop(0))
                if self.left:
                    self.left[0] = self.left[0][sent:]
        except BlockingIOError:
            pass


def serve(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    listener.setblocking(False)
    ready = select.epoll()
    ready.register(listener, select.EPOLLIN)
    links: dict[int, Link] = {}
    while True:
        for place, events in ready.poll():
            if place == listener.fileno():
                link, _ = listener.accept()
                link.setblocking(False)
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                links[link.fileno()] = Link(link)
                ready.register(link, select.EPOLLIN)
                continue
            one = links[place]
            try:
                if events & select.EPOLLOUT:
                    one.write()
                there = one.read() if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) else True
            except OSError:
                there = False
            if there:
                ready.modify(place, select.EPOLLIN | (select.EPOLLOUT if one.left else 0))
            else:
                ready.unregister(place)
                links.pop(place).link.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
