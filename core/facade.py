"""The public face of a package: names that are looked up on first use, so that importing the package costs nothing.

__getattr__, __dir__ = lazy_names(__name__, {"CoverageMatrix": "roomtone.coverage.matrix"})
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from roomtone.core.errors import nearest


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package (PEP 562).

    Args:
        package: the package's `__name__`.
        homes: public name -> dotted name of the module that defines it. No module of the package may bear the name of a public
            function, because importing it would put the module in the function's place.

    Raises:
        AttributeError: (by the returned function) there is no such name; says the nearest.
    """

    def find(name: str) -> Any:
        if name in homes:
            return getattr(importlib.import_module(homes[name]), name)
        hint = "" if name.startswith("_") else f"; {nearest(name, homes)}"
        raise AttributeError(f"module {package!r} has no attribute {name!r}{hint}")

    return find, lambda: sorted(homes)
