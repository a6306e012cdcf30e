"""wrk as the load generator: a script that holds the requests ready made, the run on a core of its own, and what it
measured. Latencies are those of closed loops: a connection waits for its answer before it asks again.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path

import priority
from exchanges import Workload

PERCENTILES = (50, 75, 90, 99, 99.9)
TIMEOUT = 10

# wrk asks `request` once for each request, and `done` once for the percentiles, in microseconds.
SCRIPT = """\
local requests = {{
{requests}
}}
local place = 0
request = function()
  place = place + 1
  if place > #requests then place = 1 end
  return requests[place]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nmeasured {{"requests":%d,"microseconds":%d,"bytes":%d,"statuses":%d,' ..
    '"connect":%d,"read":%d,"write":%d,"timeout":%d,"max":%d', summary.requests, summary.duration, summary.bytes,
    e.status, e.connect, e.read, e.write, e.timeout, latency.max))
  for _, one in ipairs({{{percentiles}}}) do
    io.write(string.format(',"p%s":%d', one, latency:percentile(one)))
  end
  io.write('}}\\n')
end
"""


@dataclasses.dataclass(frozen=True)
class Measured:
    """One run of the generator."""

    requests: int
    seconds: float
    errors: int
    latency: dict[str, float]
    """Milliseconds by name: p50, p99, p99.9, max and so on."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds if self.seconds else 0.0


class Failed(Exception):
    """A run that measured nothing; the message says why."""


def quoted(text: bytes) -> str:
    """A string of Lua."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03}" for byte in text)
    return f'"{"".join(plain)}"'


def script(workload: Workload, host: str) -> str:
    """The script of a workload."""
    requests = ",\n".join(quoted(exchange.wire(host)) for exchange in workload.exchanges())
    return SCRIPT.format(requests=requests, percentiles=", ".join(map(str, PERCENTILES)))


def parse(output: str, refused: bool) -> Measured:
    """Reads what the script printed. `refused`: every answer should have been a refusal."""
    lines = [line for line in output.splitlines() if line.startswith("measured ")]
    if not lines:
        raise Failed(f"wrk printed no result: {' / '.join(output.strip().splitlines()[-3:])}")
    told = json.loads(lines[-1].removeprefix("measured "))
    wrong = told["requests"] - told["statuses"] if refused else told["statuses"]
    lost = told["connect"] + told["read"] + told["write"] + told["timeout"]
    names = ["max", *(f"p{one:g}" for one in PERCENTILES)]
    latency = {name: told[name] / 1000 for name in names}
    return Measured(told["requests"], told["microseconds"] / 1e6, max(wrong, 0) + lost, latency)


def run(workload: Workload, port: int, seconds: int, core: int, file: Path) -> Measured:
    """Loads a server for that long, and comes before what else runs on the core: no server waits to be asked."""
    file.write_text(script(workload, f"127.0.0.1:{port}"))
    command = ["taskset", "--cpu-list", str(core), "wrk", "--threads", "1", "--latency"]
    command += ["--connections", str(workload.connections), "--duration", f"{seconds}s", "--timeout", f"{TIMEOUT}s"]
    command += ["--script", str(file), f"http://127.0.0.1:{port}/"]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + 60,
        preexec_fn=priority.go_ahead,
    )
    if done.returncode:
        raise Failed(f"wrk ended with {done.returncode}: {' / '.join(done.stdout.strip().splitlines()[-3:])}")
    measured = parse(done.stdout, bool(workload.exchange(0).refused))
    if not measured.requests:
        raise Failed("not one answer")
    return measured
