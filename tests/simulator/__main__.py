"""`python -m tests.simulator`: the simulator under the name that checks from outside the repository call."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "images" / "simulator"))

from lakepulse_simulator.__main__ import main

sys.exit(main())
