"""The public names are there, are what they say, and cost nothing until used."""

import subprocess
import sys

import pytest

import roomtone.fairness as fairness


@pytest.mark.parametrize("name", fairness.__all__)
def test_each_public_name_is_a_function_or_class_whatever_was_imported_before(name) -> None:
    for other in fairness.__all__:
        getattr(fairness, other)
    found = getattr(fairness, name)
    assert isinstance(found, dict) if name.isupper() else callable(found) and found.__doc__


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'fair'"):
        _ = fairness.fair


def test_importing_the_package_loads_nothing_heavy_and_never_the_renderer() -> None:
    program = (
        "import sys, roomtone.fairness\n"
        "heavy = {'pandas', 'numba', 'scipy', 'matplotlib', 'hydra'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "from roomtone.fairness import evaluate, export, write_report, transcribe\n"
        "assert not any(name.startswith('roomtone.augment') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=120)
