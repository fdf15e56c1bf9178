"""Read tensors, datasets and loaders once, into arrays whose first axis counts examples."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from descenso.data import Split, check_examples
from descenso.errors import DataError, DescensoError
from descenso.language import _
from descenso.problems._several import pack
from descenso.problems._torch_items import Items
from descenso.problems._torch_samplers import in_order, is_plain
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


def read_examples(given: Any, where: str, items: Items, *, may_repeat: bool = False) -> Split:
    """Return the examples of one part, checked.

    Parameters
    ----------
    given : see :func:`descenso.problems.from_torch`.
    where : what to call them in a message, such as ``train``.
    items : decides which elements of an item are inputs, and which is the target.
    may_repeat : whether a sampler may draw an example again, as no other part is split off.

    Raises
    ------
    DataError
        If they cannot be read, have no end, or break a rule of ``check_examples``.
    """
    with own_randomness():
        seed_everything(0)  # a random transform is drawn once, and the same in every process
        inputs, targets = _read(given, where, items, may_repeat)
        items.warn_of_random(given, where)
    _check_is_padded(inputs, targets, where)
    for array in inputs:
        check_examples(array, targets, where, classes=False)
    return Split(pack(inputs), targets)


def _check_is_padded(inputs: Arrays, targets: NDArray[Any], where: str) -> None:
    """Refuse values that lie end to end, with offsets beside them."""
    if len(inputs) != 2 or any(a.ndim != 1 or a.dtype.kind not in "iu" for a in inputs):
        return
    values, offsets = inputs
    if len(values) > len(targets) == len(offsets):
        raise DataError(
            _(
                "{where}: {values} values for {count} targets lie end to end, with offsets beside them; "
                "an example cannot be told from them. Pad each to one length; "
                "nn.EmbeddingBag(padding_idx=0) leaves the padding out"
            ).format(where=where, values=len(values), count=len(targets))
        )


def _read(given: Any, where: str, items: Items, may_repeat: bool) -> tuple[Arrays, NDArray[Any]]:
    if isinstance(given, Split):
        given = given.inputs, given.targets
    if isinstance(given, TensorDataset):
        return _arrays(given.tensors, where, items)
    if isinstance(given, DataLoader | Dataset):
        return _gathered(given, where, items, may_repeat)
    if isinstance(given, Mapping) or (isinstance(given, tuple | list) and len(given) == 2):
        return _arrays(given, where, items)
    if _has_items(given):
        return _gathered(given, where, items, may_repeat)
    raise DataError(
        _(
            "{where}: it must be a pair (inputs, targets), a Dataset or a DataLoader; got {kind}"
        ).format(where=where, kind=type(given).__name__)
    )


def _has_items(given: Any) -> bool:
    """Whether an object that is no array gives items by their number, as a Dataset does."""
    if isinstance(given, tuple | list | str | bytes) or hasattr(given, "dtype"):
        return False
    return hasattr(given, "__getitem__") and hasattr(given, "__len__")


def _arrays(batch: Any, where: str, items: Items) -> tuple[Arrays, NDArray[Any]]:
    """Return inputs and targets of a batch as arrays."""
    inputs, targets = items.parted(batch, where)
    return tuple(_array(a, where) for a in inputs), _array(targets, where)


def _gathered(
    given: Any, where: str, items: Items, may_repeat: bool
) -> tuple[Arrays, NDArray[Any]]:
    loader = _loader(given, where, items, may_repeat)
    parts: list[tuple[Arrays, NDArray[Any]]] = []
    examples, size = 0, 0
    for batch in _batches(loader, where):
        inputs, targets = _arrays(batch, where, items)
        if parts and _shapes(inputs, targets) != _shapes(*parts[0]):
            return _padded_to_the_longest(loader, where, items, examples)
        parts.append((inputs, targets))
        examples += len(targets)
        size += sum(a.nbytes for a in inputs) + targets.nbytes
        _check_ends(examples, size, where)
    if not parts:
        raise DataError(_("{where}: there are no examples").format(where=where))
    columns = zip(*(inputs for inputs, _targets in parts), strict=True)
    return tuple(map(np.concatenate, columns)), np.concatenate([targets for _i, targets in parts])


def _shapes(inputs: Arrays, targets: NDArray[Any]) -> list[tuple[int, ...]]:
    return [a.shape[1:] for a in (*inputs, targets)]


def _padded_to_the_longest(
    given: Any, where: str, items: Items, index: int
) -> tuple[Arrays, NDArray[Any]]:
    """Have the loader's own function pad all examples as one batch."""
    if not is_plain(given):
        raise DataError(
            _(
                "{where}: example {index} has another shape than the first. Pad all to one shape in "
                "the Dataset, or in the collate_fn of a DataLoader"
            ).format(where=where, index=index)
        )
    count = len(given.dataset)
    _check_ends(count, 0, where)
    try:
        batch = given.collate_fn([given.dataset[i] for i in range(count)])
    except Exception as error:
        raise _unread(where, error) from error
    inputs, targets = _arrays(batch, where, items)
    if any(len(array) != count for array in (*inputs, targets)):
        raise DataError(
            _("{where}: collate_fn gives {found} examples of {count}").format(
                where=where, found=len(targets), count=count
            )
        )
    items.say(
        _(
            "{where}: the batches differ in shape; collate_fn pads all examples as one batch, to {shape}"
        ).format(where=where, shape=" × ".join(map(str, inputs[0].shape[1:])))
    )
    return inputs, targets


def _loader(given: Any, where: str, items: Items, may_repeat: bool) -> Any:
    dataset: Any = given.dataset if isinstance(given, DataLoader) else given
    try:
        if not isinstance(dataset, IterableDataset) and not len(dataset):
            return []  # a loader refuses a dataset without examples in words of its own
        return in_order(given, where, items.say, may_repeat=may_repeat)
    except DescensoError:
        raise
    except Exception as error:
        raise _unread(where, error) from error


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


def _batches(loader: Any, where: str) -> Iterator[Any]:
    try:
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
        raise _unread(where, error) from error


def _unread(where: str, error: Exception) -> DataError:
    text = _("{where}: reading it failed: {kind}: {error}").format(
        where=where, kind=type(error).__name__, error=error
    )
    if "equal size" in str(error):  # torch's own, where items differ in shape
        text += _(
            ". Items of several shapes need a DataLoader whose collate_fn pads them "
            "(torch.nn.utils.rnn.pad_sequence)"
        )
    return DataError(text)


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
