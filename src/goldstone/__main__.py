"""``python -m goldstone`` is the command ``goldstone``."""

from goldstone.cli import main

main()
