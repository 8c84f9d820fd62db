"""Only one module reads the time, so that every clock can be replaced."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
READS_TIME = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime"),
    *("time.strftime", "time.clock_gettime"),
}


def find_reads(source: str) -> Iterator[str]:
    """Yield each use of a function that tells the time, whatever it was imported as."""
    tree = ast.parse(source)
    modules = {"datetime": "datetime", "time": "time", "date": "date"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in node.names:
                modules[name.asname or name.name] = name.name
                if isinstance(node, ast.ImportFrom) and f"{node.module}.{name.name}" in READS_TIME:
                    yield f"{node.lineno}: from {node.module} import {name.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            words = ast.unparse(node).split(".")
            words[0] = modules.get(words[0], words[0])
            if ".".join(words[-2:]) in READS_TIME:
                yield f"{node.lineno}: {ast.unparse(node)}"


def test_only_the_clock_module_reads_the_time() -> None:
    sources = [*ROOT.glob("core/**/*.py"), *ROOT.glob("plugins/**/*.py")]
    found = {
        f"{path.relative_to(ROOT)}:{read}"
        for path in sources
        if path != ROOT / "core" / "biont" / "clock.py"
        for read in find_reads(path.read_text())
    }
    assert len(sources) > 100
    assert found == set()


def test_every_way_to_read_the_time_is_found() -> None:
    for source in (
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\nx = datetime.now",
        "from datetime import datetime as d\nd.utcnow()",
        "import datetime as dt\ndt.date.today()",
        "import time\ntime.time()",
        "import time as t\nt.time_ns()",
        "from time import time\ntime()",
    ):
        assert list(find_reads(source)), source
    assert not list(find_reads("import time\ntime.monotonic()\nclock.now()"))
