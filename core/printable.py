"""Text of others on a terminal and in tables: control characters are shown, never sent.

An id, an accent or a message may hold `ESC [2J`, which clears a screen, or codes that type into a shell. Unicode's direction marks turn a
line around. Each becomes a visible escape. In Markdown, marks that would make links, pictures or headings are escaped as well.
"""

from __future__ import annotations

import contextlib
import html
import logging
import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console

#: Categories that do something instead of showing something: controls, direction marks and other formats, line and paragraph ends.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: Joiners and soft hyphens, which scripts need to be shown rightly.
_SHOWN = frozenset({"\u200c", "\u200d", "\u00ad"})


def printable(text: str, *, keep: str = "") -> str:
    """Return a text in which every acting character is an escape such as `\\\\x1b`.

    Args:
        text: of any origin.
        keep: characters that stay as they are, e.g. a newline.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in keep or one in _SHOWN or not _acts(one) else _escape(one) for one in text)


#: What Markdown obeys; an underscore within a word is none of it.
_MARKDOWN = re.compile(r"[\\`*\[\]|#!]|(?<![^\W_])_|_(?![^\W_])")


def markdown_text(text: Any) -> str:
    """Return a text that Markdown shows as it is, in one line: no link, picture, heading or HTML comes of it.

    Args:
        text: anything that has a text, of any origin.

    >>> markdown_text("![a_b](http://example.org)\\n# c <i>")
    '\\\\!\\\\[a_b\\\\](http://example.org) \\\\# c &lt;i&gt;'
    """
    shown = printable(" ".join(str(text).splitlines()))
    return html.escape(_MARKDOWN.sub(r"\\\g<0>", shown), quote=False)


def markdown_code(text: Any) -> str:
    """Return a text as code in a line of Markdown.

    Args:
        text: anything that has a text, of any origin; its backticks become apostrophes.

    >>> markdown_code("a`b\\nc")
    "`a'b c`"
    """
    return f"`{printable(' '.join(str(text).splitlines())).replace('`', chr(39))}`"


def storable_text(text: str) -> str:
    """Return a text that any file can hold: halves of surrogate pairs, as JSON may state and file names may hold, are spelt out.

    Args:
        text: of any origin.

    >>> storable_text("caf\\udce9.wav")
    'caf\\\\udce9.wav'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _acts(one: str) -> bool:
    return unicodedata.category(one) in _ACTING


def _escape(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")


class PrintableStream:
    """A text stream that passes on what is written with acting characters shown; line ends and tabs stay."""

    def __init__(self, inner: TextIO) -> None:
        """Wrap `inner`."""
        self.inner = inner

    def write(self, text: str) -> int:
        """Write a text, acting characters shown."""
        self.inner.write(printable(text, keep="\n\t"))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def unguarded(stream: TextIO) -> TextIO:
    """Return the stream below a guard: for what moves the cursor by itself, such as a progress bar, and shows no text of others."""
    return stream.inner if isinstance(stream, PrintableStream) else stream


def coloured_console(**options: Any) -> Console:
    """Return a console on standard output whose own colours reach a terminal; colours that a text holds are shown as escapes.

    Args:
        options: of rich's console.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Guarded(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=printable(segment.text, keep="\n\t"))

    return Guarded(file=unguarded(sys.stdout), **options)


def _in_one_line(record: logging.LogRecord) -> bool:
    record.msg, record.args = printable(record.getMessage()), None
    return True


@contextlib.contextmanager
def guarded_output() -> Iterator[None]:
    """Guard standard output, standard error and what is logged for as long as a command runs."""
    before = sys.stdout, sys.stderr
    log = logging.getLogger("roomtone")
    log.addFilter(_in_one_line)
    sys.stdout = cast(TextIO, PrintableStream(unguarded(sys.stdout)))
    sys.stderr = cast(TextIO, PrintableStream(unguarded(sys.stderr)))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        log.removeFilter(_in_one_line)
