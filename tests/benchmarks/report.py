"""What is told of the measurements: a table for people, `bench.json` for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.bars import Bar
from benchmarks.measure import Result

Measured = Sequence[tuple[Bar, Result]]

_COLUMNS = "{:<17} {:>9} {:>7} {:>7}  {:<5}  {:>20} {:>20}  {}"
HEADER = _COLUMNS.format("row", "value", "first", "goal", "held", "ours", "bare", "runs; note")


def format_result(bar: Bar, result: Result) -> str:
    """Return a measured row as a line of the table."""
    runs = " ".join(_round(run) for run in result.runs)
    return _COLUMNS.format(
        bar.row,
        _round(result.value) + ("-" if bar.lower_is_better else "+"),
        f"{bar.first:g}",
        f"{bar.goal:g}",
        bar.judge(result),
        _with_unit(result.ours, result.unit),
        _with_unit(result.bare, result.unit) or "-",
        f"{runs}; {result.note}" if result.note else runs,
    ).rstrip()


def write_results(measured: Measured, path: Path) -> None:
    """Write all results to `path` as JSON."""
    rows = [
        {
            "row": bar.row,
            "value": result.value,
            "runs": result.runs,
            "first": bar.first,
            "goal": bar.goal,
            "held": bar.judge(result),
            "ours": _with_unit(result.ours, result.unit),
            "bare": _with_unit(result.bare, result.unit),
        }
        for bar, result in measured
    ]
    path.write_text(json.dumps(rows, indent=2) + "\n")


def _with_unit(values: Sequence[float], unit: str) -> str | None:
    return f"{_round(median(values))} {unit}" if values else None


def _round(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
