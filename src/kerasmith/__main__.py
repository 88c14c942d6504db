"""`python -m kerasmith`."""

import sys

from kerasmith.cli import main

sys.exit(main())
