"""`python -m roomtone`: the command."""

import sys

from roomtone.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
