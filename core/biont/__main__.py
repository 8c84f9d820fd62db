"""``python -m biont`` is ``biont``."""

from biont.cli import main

main(prog_name="biont")
