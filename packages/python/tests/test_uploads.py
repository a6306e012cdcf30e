"""Files of forms: in memory and on disk, in parameters and models, closed with their request, faults at every byte."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from spikard import Body, File, Form, ServerConfig, SpecError, Spikard, TestClient, UploadFile
from spikard.datastructures import UploadFile as Exported


class Point(msgspec.Struct):
    x: int


def told(file: UploadFile) -> dict[str, Any]:
    return {"name": file.filename, "size": file.size, "rolled": file.rolled_to_disk, "text": file.read().decode()}


def test_the_class_is_exported_where_it_is_looked_for() -> None:
    assert UploadFile is Exported


def test_short_files_stay_in_memory_and_long_ones_go_to_disk() -> None:
    app = Spikard(upload_memory=10)

    @app.post("/")
    async def take(file: UploadFile) -> Any:
        return told(file)

    with TestClient(app) as client:
        short = client.post("/", files={"file": ("a.txt", b"x" * 10)}).assert_status_ok().json()
        long = client.post("/", files={"file": ("a.txt", b"x" * 11)}).assert_status_ok().json()
    assert (short["rolled"], long["rolled"]) == (False, True)
    assert (short["text"], long["text"]) == ("x" * 10, "x" * 11)


@pytest.mark.parametrize("memory", [0, 100])
def test_every_way_to_read_works_in_memory_and_on_disk(memory: int) -> None:
    app = Spikard(upload_memory=memory)

    @app.post("/")
    async def take(file: UploadFile) -> Any:
        async with file:
            read = [await file.aread(2), await file.aread(), await file.aread()]
            assert await file.aseek(1) == 1
            assert file.as_bytes_io().read() == b"hello"
            read += [file.read(1), file.file.read(1)]
            assert (file.seek(0, io.SEEK_END), await file.awrite(b"!"), file.size) == (5, 1, 6)
            file.seek(0)
            read.append(file.read())
        return {"read": [piece.decode() for piece in read], "closed": file.closed, "rolled": file.rolled_to_disk}

    with TestClient(app, raise_server_exceptions=True) as client:
        answer = client.post("/", files={"file": ("a", b"hello")}).assert_status_ok().json()
    assert answer == {"read": ["he", "llo", "", "e", "l", "hello!"], "closed": True, "rolled": memory == 0}


def test_reading_from_disk_does_not_block_the_loop() -> None:
    app = Spikard(upload_memory=0)
    threads: list[int] = []

    class Slow(io.FileIO):
        def read(self, size: int = -1, /) -> bytes:
            threads.append(threading.get_ident())
            return super().read(size) or b""

    @app.post("/")
    async def take(file: UploadFile) -> Any:
        with tempfile.TemporaryFile() as kept:
            kept.write(file.read())
            kept.seek(0)
            slow = UploadFile(Slow(os.dup(kept.fileno()), "rb"))  # type: ignore[arg-type]
            content = await slow.aread()
            slow.close()
        return {"text": content.decode(), "here": threading.get_ident()}

    with TestClient(app, raise_server_exceptions=True) as client:
        answer = client.post("/", files={"file": ("a", b"hello")}).json()
    assert answer["text"] == "hello"
    assert threads
    assert answer["here"] not in threads


@pytest.mark.parametrize("memory", [0, 100])
@pytest.mark.parametrize("kind", ["async", "def"])
def test_files_are_closed_when_the_request_has_been_answered(memory: int, kind: str) -> None:
    app = Spikard(upload_memory=memory)
    held: list[UploadFile] = []

    if kind == "async":

        @app.post("/")
        async def take(files: list[UploadFile]) -> int:
            held.extend(files)
            return len(files)
    else:

        @app.post("/")
        def take_in_thread(files: list[UploadFile]) -> int:
            held.extend(files)
            return len(files)

    with TestClient(app) as client:
        client.post("/", files=[("files", ("a", b"1")), ("files", ("b", b"2"))]).assert_status_ok()
    assert [file.closed for file in held] == [True, True]


def test_a_file_is_closed_when_its_handler_fails_and_when_its_model_is_refused() -> None:
    app = Spikard(upload_memory=0)
    held: list[UploadFile] = []

    class Checked(msgspec.Struct):
        file: UploadFile

        def __post_init__(self) -> None:
            held.append(self.file)
            raise ValueError("not this one")

    @app.post("/fails")
    async def fails(file: UploadFile) -> None:
        held.append(file)
        raise RuntimeError

    @app.post("/refuses")
    async def refuses(data: Checked) -> None: ...

    with TestClient(app) as client:
        client.post("/fails", files={"file": ("a", b"1")}).assert_status(500)
        problem = client.post("/refuses", files={"file": ("a", b"1")}).assert_status(422).json()
    assert problem["errors"][0]["msg"] == "Value error, not this one"
    assert [file.closed for file in held] == [True, True]


def test_the_marker_takes_bytes_aliases_and_numbers_of_files() -> None:
    app = Spikard(upload_memory=0)

    @app.post("/")
    async def take(
        one: bytes = File(alias="first"),
        many: Annotated[list[UploadFile], File(max_length=2)] = [],  # noqa: B006
        maybe: bytes | None = File(default=None),
    ) -> Any:
        return {"one": one.decode(), "many": len(many), "maybe": maybe}

    with TestClient(app) as client:
        file = ("a", b"hi")
        assert client.post("/", files=[("first", file), ("many", file)]).json() == {
            "one": "hi", "many": 1, "maybe": None
        }  # fmt: skip
        assert client.post("/", files=[("first", file)]).json()["many"] == 0
        too_many = client.post("/", files=[("first", file), *[("many", file)] * 3]).assert_status(422).json()
        assert (too_many["errors"][0]["type"], too_many["errors"][0]["loc"]) == ("too_long", ["files", "many"])


def test_a_model_beside_a_file_gathers_its_fields_from_the_form() -> None:
    app = Spikard()

    class Meta(msgspec.Struct):
        title: str
        stars: int = 3

    @app.post("/")
    async def take(meta: Form[Meta], file: UploadFile) -> Any:
        return {"title": meta.title, "stars": meta.stars, "size": file.size}

    with TestClient(app) as client:
        answer = client.post("/", data={"title": "T"}, files={"file": b"12"})
        assert answer.json() == {"title": "T", "stars": 3, "size": 2}


def test_what_has_no_form_takes_no_files() -> None:
    app = Spikard()

    @app.get("/")
    async def take(file: UploadFile) -> None: ...

    with pytest.raises(SpecError, match="a GET request has no form"):
        app._compile()
    other = Spikard()

    @other.post("/")
    async def number(file: Annotated[int, File()]) -> None: ...

    with pytest.raises(SpecError, match="a File is an UploadFile or bytes"):
        other._compile()


def test_the_directory_of_long_files_is_configurable(tmp_path: Path) -> None:  # covers config: upload_dir
    place = tmp_path / "place"
    place.mkdir()
    app = Spikard(upload_memory=0, upload_dir=place)

    @app.post("/")
    async def take(file: UploadFile) -> int:
        return file.size

    with TestClient(app) as client:
        client.post("/", files={"file": b"1"}).assert_status(200)
        assert list(place.iterdir()) == []
        place.rmdir()
        client.post("/", files={"file": b"1"}).assert_status(500)


def test_a_directory_in_which_no_file_can_be_made_is_a_fault_at_start(tmp_path: Path) -> None:
    app = Spikard(upload_dir=tmp_path / "missing")
    client = TestClient(app)
    with pytest.raises(SpecError, match="upload_dir: no file can be made there .*missing"), client:
        pass


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_a_hundred_uploads_in_parallel_leave_nothing_behind(tmp_path: Path) -> None:
    app = Spikard(upload_memory=1000, upload_dir=str(tmp_path))

    @app.post("/")
    async def take(file: UploadFile) -> int:
        await asyncio.sleep(0)
        return len(await file.aread())

    content = b"x" * 500_000
    with TestClient(app) as client:
        client.post("/", files={"file": content}).assert_status(200)
        before = descriptors()
        with ThreadPoolExecutor(10) as pool:
            sizes = list(pool.map(lambda _: client.post("/", files={"file": content}).json(), range(100)))
        gc.collect()
        assert sizes == [len(content)] * 100
        assert descriptors() <= before
        assert list(tmp_path.iterdir()) == []


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    b"hello, this goes to disk\r\n--b\r\nContent-Disposition: form-data; name=n\r\n\r\n1\r\n--b--"
)


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[tuple[TestClient, list[int], Path]]:
    app, calls = Spikard(ServerConfig(upload_memory=4, upload_dir=str(tmp_path))), []

    @app.post("/")
    async def take(file: UploadFile, n: int) -> int:
        calls.append(file.size)
        return n

    with TestClient(app) as client:
        yield client, calls, tmp_path


def test_a_form_cut_off_at_any_byte_never_reaches_its_handler(counted: tuple[TestClient, list[int], Path]) -> None:
    client, calls, folder = counted
    headers = {"content-type": "multipart/form-data; boundary=b"}
    for cut in range(1, len(FORM)):
        client.post("/", content=FORM[:cut], headers=headers).assert_status(400)
    assert calls == []
    client.post("/", content=FORM, headers=headers).assert_status(200)
    assert calls == [24]
    assert list(folder.iterdir()) == []


def test_no_malformed_form_is_a_fault_of_the_server(counted: tuple[TestClient, list[int], Path]) -> None:
    client, _, folder = counted
    headers = {"content-type": "multipart/form-data; boundary=b"}
    for at in range(len(FORM)):
        for byte in (b"\0", b"\r", b"\n", b'"', b";", b"-", b"\xff", b""):
            changed = FORM[:at] + byte + FORM[at + 1 :]
            assert client.post("/", content=changed, headers=headers).status_code in (200, 400, 422), changed
    assert list(folder.iterdir()) == []


def marked_as_both(a: Body[str], b: Form[str]) -> None: ...


def body_beside_a_file(a: Body[str], file: UploadFile) -> None: ...


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (marked_as_both, "parameter 'b': it is marked as Form, but 'a' as Body: a request has one body"),
        (body_beside_a_file, "parameter 'a': it is marked as Body, but 'file' is a file of a form"),
    ],
)
def test_a_body_of_two_kinds_is_refused_at_the_start(handler: Any, fault: str) -> None:
    app = Spikard()
    app.post("/")(handler)
    with pytest.raises(SpecError, match=fault):
        app._compile()


def test_a_scalar_beside_a_field_of_a_form_is_a_field_too() -> None:
    app = Spikard()

    @app.post("/")
    async def handler(a: Form[str], b: int, c: float = 1.5) -> list[Any]:
        return [a, b, c]

    with TestClient(app) as client:
        assert client.post("/", data={"a": "x", "b": "2"}).json() == ["x", 2, 1.5]
        refused = client.post("/?b=2", data={"a": "x"}).assert_status(422)
        assert refused.json()["errors"][0]["loc"] == ["body", "b"]


def test_a_scalar_beside_a_model_of_a_form_is_of_the_query() -> None:
    app = Spikard()

    @app.post("/")
    async def handler(a: Form[Point], b: int) -> list[Any]:
        return [a.x, b]

    with TestClient(app) as client:
        assert client.post("/?b=2", data={"x": "1"}).json() == [1, 2]
