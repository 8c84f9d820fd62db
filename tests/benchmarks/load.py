"""Load on an HTTP server: `wrk` where it is installed, otherwise a generator of our own."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from tempfile import NamedTemporaryFile
from typing import cast

from benchmarks.calls import Call
from benchmarks.generator import Generate
from benchmarks.measure import MeasurementFailed
from benchmarks.processes import perform, read_answer

WRK = shutil.which("wrk")
GENERATOR = "wrk" if WRK else "the own asyncio generator (wrk is not installed)"
"""What makes the load, as the output names it."""

_SCRIPT = """
wrk.method = "{method}"
wrk.body = [==[{body}]==]
{headers}
function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "failed": %d}}\\n',
        summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What came of it.

    Attributes:
        rate: in requests a second.
        p50: the latency that half of all requests kept, in milliseconds.
        p99: the latency that 99 of 100 kept, in milliseconds.
        requests: how many were answered.
    """

    rate: float
    p50: float
    p99: float
    requests: int


async def drive(call: Call, connections: int, seconds: int, *, may_fail: bool = False) -> Load:
    """Make `call` over and over on each of `connections` from another process.

    With `may_fail`, a request may be refused.

    Raises:
        MeasurementFailed: a request failed, or none was made.
    """
    found = await (_drive_wrk if WRK else _drive_own)(call, connections, seconds)
    if (found["failed"] and not may_fail) or not found["requests"]:
        failed = f"{found['failed']:g} of {found['requests']:g} requests failed"
        raise MeasurementFailed(f"{call.method} {call.url}: {failed}")
    requests = int(found["requests"])
    return Load(requests / found["seconds"], found["p50"], found["p99"], requests)


async def _drive_wrk(call: Call, connections: int, seconds: int) -> dict[str, float]:
    headers = "\n".join(
        f'wrk.headers["{name}"] = "{value}"' for name, value in call.headers.items()
    )
    with NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT.format(method=call.method, body=call.body, headers=headers))
        script.flush()
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name]
        found = await read_answer([str(WRK), *options, call.url])
    return cast("dict[str, float]", found)


async def _drive_own(call: Call, connections: int, seconds: int) -> dict[str, float]:
    found = await perform(Generate(**asdict(call), connections=connections, seconds=seconds))
    return cast("dict[str, float]", found)
