"""`python -m lakepulse_dbt <command>`: the same as `python -m lakepulse <command>`."""

import sys

from lakepulse.cli import main

sys.exit(main(sys.argv[1:]))
