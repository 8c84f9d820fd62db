"""Measures us beside bare programs: ``python tests/benchmarks/run.py [ROW...]``.

Prints the machine and a table, and writes `bench.json`. Ours and its bare twin run in processes of
their own and are measured in turn; a value is the median of the ratios, ours to
bare, of rates (marked +, more is better) or of costs (marked -, less is better).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import BARS, Bar
from benchmarks.machine import describe_machine
from benchmarks.measure import MeasurementFailed, Result
from benchmarks.report import HEADER, format_result, write_results

_RESULTS = Path("bench.json")


async def run(bars: Sequence[Bar]) -> int:
    """Measure the rows of `bars`, print and write what they come to; return the exit code."""
    task = asyncio.current_task()
    assert task is not None
    # As Ctrl-C does: the blocks that own processes end them.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    measured: list[tuple[Bar, Result]] = []
    failed = 0
    click.echo(describe_machine())
    click.echo(HEADER)
    with TemporaryDirectory(prefix="biont-bench-") as folder:
        for bar in bars:
            try:
                result = await bar.measure(Path(folder) / bar.row)
            except MeasurementFailed as error:
                failed += 1
                click.echo(f"{bar.row:<17} failed: {error}", err=True)
            else:
                measured.append((bar, result))
                click.echo(format_result(bar, result))
    write_results(measured, _RESULTS)
    return 1 if failed else 0


def choose(names: Sequence[str]) -> list[Bar]:
    """Return the bars of these names, of all rows where none is given."""
    unknown = set(names) - {bar.row for bar in BARS}
    if unknown:
        known = ", ".join(bar.row for bar in BARS)
        sys.exit(f"there is no row {', '.join(sorted(unknown))}; there are: {known}")
    return [bar for bar in BARS if not names or bar.row in names]


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(asyncio.run(run(choose(sys.argv[1:]))))
    sys.exit(130)
