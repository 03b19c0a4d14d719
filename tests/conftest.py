"""The handlers' own log lines stay out of the tests' output."""

import os
import sys
from pathlib import Path

os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
sys.path[:0] = [str(Path(__file__).parent / room) for room in ("", "language", "portability")]
