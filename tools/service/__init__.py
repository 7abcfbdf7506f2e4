"""Servers of the distribution, one module each, with a class `Service` in it that says what is particular to it."""
import importlib
import pathlib

from .server import NotThere, Server, free_port  # noqa: F401


def names():
    here = pathlib.Path(__file__).parent
    return sorted(path.stem for path in here.glob("*.py") if path.stem not in ("__init__", "server"))


def find(name):
    """The class of a service."""
    return importlib.import_module(f"service.{name}").Service
