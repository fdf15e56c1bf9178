"""Load a problem from the user's own code: ``module:object`` or ``path/to/file.py:object``."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from descenso.errors import DescensoError, ProblemError
from descenso.language import _
from descenso.problems._from_keras import keras_on_jax
from descenso.problems._problem import UNNAMED, Problem


def load(text: str) -> Problem:
    """Return the problem at ``module:object`` or ``path/to/file.py:object``.

    The current directory can be imported from. An object that is a function without parameters is
    called. A problem without a name of its own is named by ``text``.

    Raises
    ------
    ProblemError
        If the module cannot be imported, or has no such object, or that is not a problem.
    """
    place, _colon, attribute = text.rpartition(":")
    if not place or not attribute:
        raise ProblemError(
            _(
                "a problem of your own is written module:object or file.py:object; got {text!r}"
            ).format(text=text)
        )
    with _backend_for(place):
        problem = _as_problem(find(place, attribute), text)
    return replace(problem, name=text) if problem.name == UNNAMED else problem


def _backend_for(place: str) -> AbstractContextManager[None]:
    """Have Keras run on JAX, unless the user has chosen, where the code asks for ``from_keras``."""
    try:
        file = place if place.endswith(".py") else _source_of(place)
        asks = file is not None and Path(file).is_file() and _asks_for_keras(Path(file))
    except (OSError, ValueError, ImportError):
        asks = False  # the import tells what is wrong
    return keras_on_jax() if asks else nullcontext()


def _asks_for_keras(file: Path) -> bool:
    return "from_keras" in file.read_text(encoding="utf-8")


def _source_of(module: str) -> str | None:
    _make_importable(Path.cwd())
    spec = importlib.util.find_spec(module)
    return spec.origin if spec else None


def find(place: str, attribute: str) -> Any:
    """Return the object of that name in a module or a file.

    Raises
    ------
    ProblemError
        If it cannot be imported, or is not there.
    """
    return _find(_import(place), place, attribute)


def _import(place: str) -> ModuleType:
    try:
        return _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
    except DescensoError:
        raise
    except (Exception, SystemExit) as error:
        raise ProblemError(
            _("importing {place} failed: {kind}: {error}").format(
                place=place, kind=type(error).__name__, error=error
            )
        ) from error


def _import_module(name: str) -> ModuleType:
    _make_importable(Path.cwd())
    return importlib.import_module(name)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ProblemError(_("there is no file {path}").format(path=path))
    path = path.resolve()
    _make_importable(path.parent)  # so that it can import what lies beside it
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(path.stem)
    sys.modules[path.stem] = module  # dataclasses and pickling look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        _restore(path.stem, before)
        raise
    return module


def _restore(name: str, before: ModuleType | None) -> None:
    if before is None:
        sys.modules.pop(name, None)
    else:
        sys.modules[name] = before


def _make_importable(folder: Path) -> None:
    if os.fspath(folder) not in sys.path:
        sys.path.insert(0, os.fspath(folder))
    importlib.invalidate_caches()


def _find(module: ModuleType, place: str, attribute: str) -> Any:
    try:
        return getattr(module, attribute)
    except AttributeError:
        own = [name for name, value in vars(module).items() if isinstance(value, Problem)]
        hint = _(" It has {names}.").format(names=", ".join(own)) if own else ""
        raise ProblemError(
            _("{place} has no object named {attribute!r}.").format(place=place, attribute=attribute)
            + hint
        ) from None


def _as_problem(found: Any, text: str) -> Problem:
    if callable(found) and not isinstance(found, Problem):
        try:
            found = found()
        except DescensoError:
            raise
        except (Exception, SystemExit) as error:
            raise ProblemError(
                _("calling {text}() failed: {kind}: {error}").format(
                    text=text, kind=type(error).__name__, error=error
                )
            ) from error
    if not isinstance(found, Problem):
        raise ProblemError(
            _(
                "{text} is of type {kind}, not a problem; make one with from_jax, from_torch, "
                "from_keras or from_table of descenso.problems"
            ).format(text=text, kind=type(found).__name__)
        )
    return found
