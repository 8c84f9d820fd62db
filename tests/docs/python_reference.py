"""The reference page of public Python names; run it to write the page anew."""

from __future__ import annotations

import ast
from itertools import groupby

from support.source import ROOT, find_file, list_public_names

PAGE = ROOT / "docs" / "reference" / "python.md"
_HEAD = """# Public Python names

A plugin imports from `biont` and from these namespaces only. Each name is loaded when it is first
used. Public names of a plugin, such as `biont_notes.create_note`, are in the `__all__` of its
package. `biont.backoff`, `biont.clock` and `biont.exceptions` are plain modules.
"""


def make_page() -> str:
    """Return the page that describes every public name."""
    parts = [_HEAD]
    names = sorted(list_public_names(), key=lambda found: (found.namespace, found.name.lower()))
    for namespace, group in groupby(names, key=lambda found: found.namespace):
        doc = ast.get_docstring(ast.parse(find_file(namespace).read_text())) or ""
        rows = "".join(f"| `{found.name}` | {found.read_summary()} |\n" for found in group)
        summary = doc.partition("\n\n")[0].replace("\n", " ")
        parts.append(f"\n## {namespace}\n\n{summary}\n\n| name | description |\n|---|---|\n{rows}")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(make_page())
