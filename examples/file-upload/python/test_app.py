"""The example's app, tested without a server."""

import hashlib
from collections.abc import Iterator

import pytest
from app import app
from spikard import TestClient


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def test_a_long_file_is_read_in_pieces(client: TestClient) -> None:
    content = bytes(range(256)) * 16 * 1024
    answer = client.post("/files", files={"file": ("bytes.bin", content)}, data={"title": "all bytes"})
    digest = hashlib.sha256(content).hexdigest()
    expected = {"title": "all bytes", "name": "bytes.bin", "size": len(content), "sha256": digest}
    assert answer.assert_status_ok().json() == expected


def test_several_files_are_taken(client: TestClient) -> None:
    answer = client.post("/albums", files=[("pictures", ("a.png", b"1")), ("pictures", ("b.png", b"22"))])
    assert answer.assert_status_ok().json() == {"a.png": 1, "b.png": 2}


def test_a_missing_file_is_named(client: TestClient) -> None:
    problem = client.post("/files", data={"title": "nothing"}).assert_status(422).json()
    assert [error["loc"] for error in problem["errors"]] == [["files", "file"]]
