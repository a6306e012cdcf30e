"""Header and cookie parameters: underscores, lists, models, and what a response sets."""

from typing import Annotated

from fastapi import Cookie, FastAPI, Header, Response
from pydantic import BaseModel

app = FastAPI()


class CommonHeaders(BaseModel):
    save_data: bool
    if_none_match: str | None = None
    x_tag: list[str] = []


class Cookies(BaseModel):
    session_id: str
    fatebook_tracker: str | None = None


@app.get("/agent")
async def agent(user_agent: Annotated[str | None, Header()] = None):
    return {"User-Agent": user_agent}


@app.get("/strange")
async def strange(strange_header: Annotated[str | None, Header(convert_underscores=False)] = None):
    return {"strange_header": strange_header}


@app.get("/tokens")
async def tokens(x_token: Annotated[list[str] | None, Header()] = None):
    return {"X-Token values": x_token}


@app.get("/required")
async def required(x_count: Annotated[int, Header(ge=1)]):
    return {"x_count": x_count}


@app.get("/model")
async def model(headers: Annotated[CommonHeaders, Header()]):
    return headers


@app.get("/ads")
async def ads(ads_id: Annotated[str | None, Cookie()] = None):
    return {"ads_id": ads_id}


@app.get("/session")
async def session(cookies: Annotated[Cookies, Cookie()]):
    return cookies


@app.get("/login")
async def login() -> Response:
    response = Response(content='{"message": "welcome"}', media_type="application/json", headers={"X-Cat-Dog": "alone"})
    response.set_cookie(key="fakesession", value="fake-cookie-session-value", httponly=True, max_age=60)
    return response


REQUESTS = [
    ("GET", "/agent", {"headers": {"user-agent": "curl"}}),
    ("GET", "/strange", {"headers": {"strange_header": "x"}}),
    ("GET", "/strange", {"headers": {"strange-header": "x"}}),
    ("GET", "/tokens"),
    ("GET", "/tokens", {"headers": [("x-token", "foo"), ("x-token", "bar")]}),
    ("GET", "/required"),
    ("GET", "/required", {"headers": {"x-count": "0"}}),
    ("GET", "/required", {"headers": {"x-count": "3"}}),
    (
        "GET",
        "/model",
        {"headers": [("save-data", "true"), ("if-none-match", "foobar"), ("x-tag", "a"), ("x-tag", "b")]},
    ),
    ("GET", "/model", {"headers": {"if-none-match": "foobar"}}),
    ("GET", "/ads"),
    ("GET", "/ads", {"headers": {"cookie": "ads_id=ads_track"}}),
    ("GET", "/session", {"headers": {"cookie": "session_id=123; fatebook_tracker=456"}}),
    ("GET", "/session", {"headers": {"cookie": "fatebook_tracker=456"}}),
    ("GET", "/login"),
]
COMPARED = ("x-cat-dog",)
