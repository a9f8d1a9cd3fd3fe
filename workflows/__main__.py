"""`python -m workflows run|submit|status|render`: the console command's of the same name."""

import sys

from lakepulse.cli import main

sys.exit(main())
