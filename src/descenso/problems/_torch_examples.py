"""Read tensors, datasets and loaders once, into arrays whose first axis counts examples."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, RandomSampler, SequentialSampler, TensorDataset

from descenso.data import Split, check_examples
from descenso.errors import DataError, DescensoError
from descenso.language import _
from descenso.problems._several import pack
from descenso.problems._torch_switches import own_randomness, seed_everything

Arrays = tuple[NDArray[Any], ...]


def _third_of_memory() -> int:
    """Return what may be read where reading takes twice that: the batches, then all in one."""
    if not hasattr(os, "sysconf"):
        return 2**62
    return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 3)


#: A dataset or loader that gives more is taken to have no end.
MOST_EXAMPLES = 2_000_000
MOST_BYTES = min(8 * 2**30, _third_of_memory())
_BATCH = 256  # examples read at a time


def read_examples(given: Any, where: str, *, classes: bool) -> Split:
    """Return the examples of one part, checked.

    Parameters
    ----------
    given : see :func:`descenso.problems.from_torch`.
    where : what to call them in a message, such as ``train``.
    classes : whether the targets are class labels.

    Raises
    ------
    DataError
        If they cannot be read, have no end, or break a rule of ``check_examples``.
    """
    with own_randomness():
        seed_everything(0)  # a random transform is drawn once, and the same in every process
        inputs, targets = _read(given, where)
    for array in inputs:
        check_examples(array, targets, where, classes=classes)
    return Split(pack(inputs), targets.astype(np.int64) if classes else targets)


def _read(given: Any, where: str) -> tuple[Arrays, NDArray[Any]]:
    if isinstance(given, Split):
        given = given.inputs, given.targets
    if isinstance(given, TensorDataset):
        given = _pair(given.tensors, where)
    if isinstance(given, DataLoader | Dataset):
        return _gathered(given, where)
    if isinstance(given, tuple | list) and len(given) == 2:
        return tuple(_array(a, where) for a in _inputs(given[0])), _array(given[1], where)
    raise DataError(
        _(
            "{where}: it must be a pair (inputs, targets), a Dataset or a DataLoader; got {kind}"
        ).format(where=where, kind=type(given).__name__)
    )


def _inputs(given: Any) -> tuple[Any, ...]:
    """Return the inputs, one or several: a tuple or list of arrays is several."""
    several = isinstance(given, tuple | list) and len(given) > 0
    if several and all(isinstance(a, torch.Tensor | np.ndarray) for a in given):
        return tuple(given)
    return (given,)


def _pair(batch: Any, where: str) -> tuple[tuple[Any, ...], Any]:
    """Return inputs and targets of a batch: all but the last of its parts are inputs."""
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        raise DataError(
            _("{where}: it must give pairs (inputs, targets); it gives {kind}").format(
                where=where, kind=type(batch).__name__
            )
        )
    *inputs, targets = batch
    return tuple(part for given in inputs for part in _inputs(given)), targets


def _gathered(given: Any, where: str) -> tuple[Arrays, NDArray[Any]]:
    parts: list[tuple[Arrays, NDArray[Any]]] = []
    examples, size = 0, 0
    for batch in _batches(given, where):
        inputs, targets = _pair(batch, where)
        arrays = tuple(_array(a, where) for a in inputs), _array(targets, where)
        if parts and [a.shape[1:] for a in arrays[0]] != [a.shape[1:] for a in parts[0][0]]:
            raise DataError(
                _("{where}: example {index} has inputs of another shape than the first").format(
                    where=where, index=examples
                )
            )
        parts.append(arrays)
        examples += len(arrays[1])
        size += sum(a.nbytes for a in arrays[0]) + arrays[1].nbytes
        _check_ends(examples, size, where)
    if not parts:
        raise DataError(_("{where}: there are no examples").format(where=where))
    columns = zip(*(inputs for inputs, _targets in parts), strict=True)
    return tuple(map(np.concatenate, columns)), np.concatenate([targets for _i, targets in parts])


def _check_ends(examples: int, size: int, where: str) -> None:
    if examples > MOST_EXAMPLES or size > MOST_BYTES:
        raise DataError(
            _(
                "{where}: it gave {examples} examples ({size:.1f} GiB) and has not ended; at most "
                "{most} examples and {most_size:.3g} GiB are read from a Dataset or DataLoader. Give "
                "one that ends, or tensors"
            ).format(
                where=where, examples=examples, size=size / 2**30,
                most=MOST_EXAMPLES, most_size=MOST_BYTES / 2**30,
            )
        )  # fmt: skip


def _batches(given: Any, where: str) -> Iterator[Any]:
    """Give the batches in the order of the dataset, whatever order the loader draws."""
    try:
        loader = _in_order(given)
        promised = _length(loader)
        for number, batch in enumerate(loader):
            if promised is not None and number >= promised:
                raise DataError(
                    _("{where}: it says it has {count} batches, but gives more").format(
                        where=where, count=promised
                    )
                )
            yield batch
    except DescensoError:
        raise
    except Exception as error:
        raise DataError(
            _("{where}: reading it failed: {kind}: {error}").format(
                where=where, kind=type(error).__name__, error=error
            )
        ) from error


def _in_order(given: Any) -> Any:
    if not isinstance(given, DataLoader):
        if not isinstance(given, torch.utils.data.IterableDataset) and not len(given):
            return []  # a loader refuses a dataset without examples in words of its own
        return DataLoader(given, batch_size=_BATCH)
    plain = type(given.sampler) in (RandomSampler, SequentialSampler)
    if type(given) is not DataLoader or given.batch_size is None or not plain:
        return given  # its sampler may choose among the examples
    if getattr(given.sampler, "replacement", False) or len(given.sampler) != len(given.dataset):  # type: ignore[arg-type]
        return given
    return DataLoader(given.dataset, batch_size=given.batch_size, collate_fn=given.collate_fn)


def _length(loader: Any) -> int | None:
    try:
        return len(loader)
    except TypeError:
        return None


def _array(values: Any, where: str) -> NDArray[Any]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        if values.is_floating_point() and values.element_size() < 4:
            values = values.float()  # NumPy has no bfloat16
        array: NDArray[Any] = values.numpy()
        return array
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(
            _("{where}: NumPy cannot read it: {error}").format(where=where, error=error)
        ) from error


def loader_batch_size(given: Any) -> int | None:
    """Return the batch size of a loader; ``None`` for anything else."""
    return given.batch_size if isinstance(given, DataLoader) else None


def concatenated(parts: Sequence[Split]) -> Split:
    """Return the examples of several parts as one."""
    return Split(
        np.concatenate([part.inputs for part in parts]),
        np.concatenate([part.targets for part in parts]),
    )
