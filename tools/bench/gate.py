"""The gate before the clock: a contender must answer a workload's exchanges right, and refuse the wrong ones. One that
lets wrong ones pass is timed, but marked as not validating, and never compared as if it did.
"""

from __future__ import annotations

import dataclasses
import http.client
import json
import time

import corpus
from exchanges import Exchange, Length, Workload

REFUSALS = {400, 404, 422}
PATIENCE = 2


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the gate found."""

    wrong: str = ""
    """Why it may not be timed."""
    mark: str = ""
    """What the report says beside its numbers."""


def judge(port: int, workload: Workload) -> Verdict:
    """Asks the first, the second and the last exchange, those of the corpus, and every refused one."""
    asked = workload.exchanges()
    told = [one for case in workload.cases for one in corpus.exchanges(case)]
    picked = [asked[place] for place in dict.fromkeys([0, min(1, len(asked) - 1), len(asked) - 1])]
    for one in [*picked, *told]:
        status, kind, body = ask(port, one)
        if one.refused:
            continue
        if said := difference(one, status, kind, body):
            return Verdict(wrong=said)
    if workload.after and (said := eventually(port, workload.after)):
        return Verdict(wrong=said)
    refused = [*workload.refused, *(one for one in told if one.refused), *(one for one in asked[:1] if one.refused)]
    return Verdict(*marked([(one, *ask(port, one)) for one in refused], bool(asked[0].refused)))


def eventually(port: int, exchange: Exchange) -> str:
    """What is wrong with an answer that may take a moment to become right."""
    end = time.monotonic() + PATIENCE
    while (said := difference(exchange, *ask(port, exchange))) and time.monotonic() < end:
        time.sleep(0.01)
    return said


def difference(exchange: Exchange, status: int, kind: str, body: bytes) -> str:
    """What is wrong with the answer to a valid request, empty if nothing is."""
    if status != 200:
        return f"{exchange.method} {exchange.target}: status {status}, wanted 200: {shortened(body)}"
    if isinstance(exchange.answer, Length):
        fits = len(body) == exchange.answer.bytes
        return "" if fits else f"{exchange.method} {exchange.target}: {len(body)} bytes, wanted {exchange.answer.bytes}"
    if isinstance(exchange.answer, str):
        said: object = body.decode(errors="replace")
        wanted = "text/plain"
    else:
        try:
            said = json.loads(body)
        except ValueError:
            said = body
        wanted = "application/json"
    if kind.partition(";")[0] != wanted:
        return f"{exchange.method} {exchange.target}: content type {kind!r}, wanted {wanted}"
    if said != exchange.answer:
        return f"{exchange.method} {exchange.target}: another value: {shortened(body)}"
    return ""


def marked(answers: list[tuple[Exchange, int, str, bytes]], whole: bool) -> tuple[str, str]:
    """What the answers to wrong requests say: (a reason not to time it, a mark). `whole`: they are the workload."""
    for exchange, status, _, body in answers:
        if status not in REFUSALS:
            said = f"{exchange.target} takes what is wrong (status {status}: {shortened(body)})"
            return (said, "") if whole or status >= 500 else ("", f"does not validate: {said}")
    fields = [
        (sum(field in body.decode(errors="replace") for field in one.refused if field), one)
        for one, _, _, body in answers
    ]
    named = sum(count for count, _ in fields)
    wanted = sum(len(list(filter(None, one.refused))) for _, one in fields)
    return "", f"names {named} of {wanted} wrong fields" if named < wanted else ""


def ask(port: int, exchange: Exchange) -> tuple[int, str, bytes]:
    """Status, content type and body of an answer; status 0 and the reason where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": exchange.content_type} if exchange.body else {}
    try:
        connection.request(exchange.method, exchange.target, exchange.body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("content-type", ""), answer.read()
    except (OSError, http.client.HTTPException) as broken:
        return 0, "", repr(broken).encode()
    finally:
        connection.close()


def shortened(body: bytes) -> str:
    """The begin of a body."""
    text = body[:120].decode(errors="replace")
    return text + ("…" if len(body) > 120 else "")
