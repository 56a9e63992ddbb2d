"""The examples in docstrings, of every module of every package."""

import doctest
import importlib
import pkgutil

import pytest

PACKAGES = ("core", "coverage", "augment", "measure", "fairness", "cli")


def modules():
    """Return the dotted name of every module of the project."""
    found = []
    for name in PACKAGES:
        package = importlib.import_module(f"roomtone.{name}")
        found += [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return found


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_in_every_package_that_computes():
    finder = doctest.DocTestFinder()
    for package in PACKAGES[:-1]:
        names = [name for name in modules() if f".{package}." in name]
        assert any(test.examples for name in names for test in finder.find(importlib.import_module(name))), package
