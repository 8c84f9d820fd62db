"""Build step: puts the documentation into the wheel, where ``/docs/*.md`` finds it."""

from __future__ import annotations

from pathlib import Path

from setuptools.command.build_py import build_py


class BuildGuides(build_py):
    """Step ``build_py`` that also copies the Markdown of ``docs`` into the package."""

    def run(self) -> None:
        """Build the packages, and copy the documents."""
        super().run()
        if self.editable_mode:
            # The documents are read from the checkout.
            return
        target = Path(self.build_lib, "biont", "http", "pages", "guides")
        for file in Path("docs").glob("**/*.md"):
            copy = target / file.relative_to("docs")
            self.mkpath(str(copy.parent))
            self.copy_file(str(file), str(copy))
