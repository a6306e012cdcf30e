"""Dependencies: functions, classes, some that need others, with `yield`, of a route that takes none of them."""

from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, Header, HTTPException

app = FastAPI()

fake_items_db = [{"item_name": "Foo"}, {"item_name": "Bar"}, {"item_name": "Baz"}]
log: list[str] = []


async def common_parameters(q: str | None = None, skip: int = 0, limit: int = 100):
    return {"q": q, "skip": skip, "limit": limit}


class CommonQueryParams:
    def __init__(self, q: str | None = None, skip: int = 0, limit: int = 100):
        self.q = q
        self.skip = skip
        self.limit = limit


def query_extractor(q: str | None = None):
    return q


def query_or_cookie_extractor(
    q: Annotated[str | None, Depends(query_extractor)], last_query: Annotated[str | None, Cookie()] = None
):
    return q or last_query


async def verify_token(x_token: Annotated[str, Header()]):
    if x_token != "fake-super-secret-token":
        raise HTTPException(status_code=400, detail="X-Token header invalid")


def get_db():
    log.append("open")
    try:
        yield {"rows": len(fake_items_db)}
    except HTTPException:
        log.append("rolled back")
        raise
    finally:
        log.append("close")


class FixedContentQueryChecker:
    def __init__(self, fixed_content: str):
        self.fixed_content = fixed_content

    def __call__(self, q: str = ""):
        return self.fixed_content in q


checker = FixedContentQueryChecker("bar")


@app.get("/functions/")
async def functions(commons: Annotated[dict, Depends(common_parameters)]):
    return commons


@app.get("/classes/")
async def classes(commons: Annotated[CommonQueryParams, Depends()]):
    return {"q": commons.q, "items": fake_items_db[commons.skip : commons.skip + commons.limit]}


@app.get("/nested/")
async def nested(query_or_default: Annotated[str | None, Depends(query_or_cookie_extractor)]):
    return {"q_or_cookie": query_or_default}


@app.get("/guarded/", dependencies=[Depends(verify_token)])
async def guarded():
    return [{"item": "Portal Gun"}, {"item": "Plumbus"}]


@app.get("/db/{key}")
def db(key: str, rows: Annotated[dict, Depends(get_db)]):
    if key == "lost":
        raise HTTPException(status_code=410, detail="gone")
    return rows


@app.get("/log")
def read_log():
    return log


@app.get("/checker/")
async def checked(fixed_content_included: Annotated[bool, Depends(checker)]):
    return {"fixed_content_in_query": fixed_content_included}


REQUESTS = [
    ("GET", "/functions/"),
    ("GET", "/functions/?q=foo&skip=5&limit=30"),
    ("GET", "/functions/?skip=x"),
    ("GET", "/classes/?q=foo&skip=1&limit=1"),
    ("GET", "/nested/?q=foo"),
    ("GET", "/nested/", {"headers": {"cookie": "last_query=bar"}}),
    ("GET", "/nested/"),
    ("GET", "/guarded/"),
    ("GET", "/guarded/", {"headers": {"x-token": "no"}}),
    ("GET", "/guarded/", {"headers": {"x-token": "fake-super-secret-token"}}),
    ("GET", "/db/found"),
    ("GET", "/db/lost"),
    ("GET", "/log"),
    ("GET", "/checker/?q=foobar"),
    ("GET", "/checker/?q=foo"),
    ("GET", "/checker/"),
]
