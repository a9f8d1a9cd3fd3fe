"""`python -m lakepulse`."""

import sys

from lakepulse.cli import main

sys.exit(main())
