"""`python -m roomtone`: the command."""

import sys

from roomtone.cli.main import main

sys.exit(main())
