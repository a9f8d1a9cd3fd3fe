"""`python -m lakepulse_fetch`: the same as `python -m lakepulse fetch`."""

import sys

from lakepulse.cli import main

sys.exit(main(["fetch", *sys.argv[1:]]))
