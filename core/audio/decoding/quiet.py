"""What a C library writes to the terminal past Python: mpg123, inside libsndfile, comments on damaged MPEG audio there."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator

_lock = threading.RLock()
#: mpg123's own lines.
_COMMENT = re.compile(rb"^(\s*|Note: .*|Warning: .*|\[.*libmpg123/.*|.*mpg123.*)$")


@contextlib.contextmanager
def mpg123_is_quiet() -> Iterator[None]:
    """Drop what mpg123 writes to the standard error while the block runs; what others write there comes out behind it."""
    with _lock:
        try:
            kept = os.dup(2)
        except OSError:  # there is no standard error
            yield
            return
        try:
            with tempfile.TemporaryFile() as said:
                os.dup2(said.fileno(), 2)
                try:
                    yield
                finally:
                    os.dup2(kept, 2)
                    said.seek(0)
                    others = b"".join(line for line in said if not _COMMENT.match(line.rstrip(b"\n")))
                    if others:
                        os.write(2, others)
        finally:
            os.close(kept)
