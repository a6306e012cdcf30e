"""The shop, tested without a server."""

import pytest
from app import Shop, app, shop
from spikard import TestClient


@pytest.fixture(autouse=True)
def stocked() -> None:
    shop.__dict__.update(vars(Shop(stock={"lamp": 3, "chair": 1})))


def test_the_receipt_is_sent_behind_the_response() -> None:
    with TestClient(app) as client:
        client.post("/orders", json={"item": "lamp", "count": 2}).assert_status(202)
    # Leaving the client waits for the tasks, as a server that stops does.
    assert shop.receipts == ["2 x lamp"]


def test_an_order_that_fails_has_no_receipt() -> None:
    with TestClient(app) as client:
        problem = client.post("/orders", json={"item": "chair", "count": 2}).assert_status(409).json()
        assert problem["detail"] == "not enough of chair"
    assert shop.receipts == []


def test_the_report_lists_the_orders() -> None:
    with TestClient(app) as client:
        for item in ("lamp", "chair"):
            client.post("/orders", json={"item": item}).assert_status(202)
        response = client.get("/report.csv").assert_status_ok()
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.text == "item,count\nlamp,1\nchair,1\n"
