"""`python -m roomtone`: the command. The folder above has no `__init__.py`, because `roomtone` is a namespace (PEP 420)."""

import sys

from roomtone.cli.main import main

sys.exit(main())
