"""Have a loader give its examples in the order of their dataset, none of them twice."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    WeightedRandomSampler,
)

from descenso.errors import DataError
from descenso.language import _
from descenso.problems._torch_switches import own_randomness

BATCH = 256  # examples read at a time where no loader says how many
MOST_DRAWN = 10_000_000  # a sampler that draws more is left to be found endless


def in_order(given: Any, where: str, say: Callable[[str], Any], *, may_repeat: bool) -> Any:
    """Return a loader of the examples of a ``Dataset`` or ``DataLoader``, read without workers.

    Parameters
    ----------
    may_repeat : whether examples may come again, as they fall into no other part.

    Raises
    ------
    DataError
        If examples come again, and how each comes once is the loader's own affair.
    """
    loader = given if isinstance(given, DataLoader) else DataLoader(given, batch_size=BATCH)
    if isinstance(loader.dataset, IterableDataset):
        return _read_once(loader, where, say)
    if is_plain(loader) and not isinstance(loader.dataset, Subset | ConcatDataset):
        return _over(loader.dataset, loader)
    rows = range(len(loader.dataset)) if is_plain(loader) else _drawn(loader)  # type: ignore[arg-type]
    if rows is None or len(_firsts(loader.dataset, rows)) == len(rows):
        return _without_workers(loader)
    keep = _once(loader, rows)
    if may_repeat:
        say(
            _("{where}: what {source} draws is drawn once, and stays for all epochs").format(
                where=where, source=_source(loader)
            )
        )
        return _without_workers(loader)
    if type(loader) is not DataLoader or loader.batch_sampler is None:
        raise DataError(
            _(
                "{where}: {source} gives examples again, which would fall into training and test. "
                "Give validation and test of their own, or a loader that gives each example once"
            ).format(where=where, source=_source(loader))
        )
    say(
        _(
            "{where}: {source} gives examples again, which would fall into training and test: each of "
            "{count} is read once. To train on what it draws, give validation and test of their own; "
            "to weigh classes, give the loss weights"
        ).format(where=where, source=_source(loader), count=len(keep))
    )
    return _over(Subset(loader.dataset, keep), loader)


def is_plain(loader: Any) -> bool:
    """Whether a loader gives each example of its dataset once, in batches."""
    if type(loader) is not DataLoader or loader.batch_size is None:
        return False
    if type(loader.sampler) not in (RandomSampler, SequentialSampler):
        return False
    if getattr(loader.sampler, "replacement", False):
        return False
    return len(loader.sampler) == len(loader.dataset)  # type: ignore[arg-type]


def _over(dataset: Dataset[Any], loader: Any) -> Any:
    size = loader.batch_size or BATCH
    return DataLoader(dataset, batch_size=size, collate_fn=loader.collate_fn)


def _without_workers(loader: Any) -> Any:
    if is_plain(loader):
        return _over(loader.dataset, loader)
    if type(loader) is not DataLoader or not loader.num_workers:
        return loader
    return _sampled(loader.dataset, loader, loader.collate_fn)


def _sampled(dataset: Dataset[Any], loader: Any, collate_fn: Callable[[Any], Any]) -> Any:
    """Return a loader of a dataset that draws as ``loader`` does."""
    how: dict[str, Any] = {"batch_sampler": loader.batch_sampler}
    if loader.batch_sampler is None:
        how = {"sampler": loader.sampler, "batch_size": None}
    return DataLoader(dataset, collate_fn=collate_fn, generator=loader.generator, **how)


def _read_once(loader: Any, where: str, say: Callable[[str], Any]) -> Any:
    """Return what reads an iterable dataset once; each worker has a copy that gives all."""
    if not loader.num_workers:
        return loader
    if type(loader) is not DataLoader:
        raise DataError(
            _(
                "{where}: {kind} has {count} workers, each of which may read the whole "
                "IterableDataset. Give it num_workers=0"
            ).format(where=where, kind=type(loader).__name__, count=loader.num_workers)
        )
    say(
        _(
            "{where}: the IterableDataset is read without workers, for each of them may give all of it"
        ).format(where=where)
    )
    return DataLoader(loader.dataset, batch_size=loader.batch_size, collate_fn=loader.collate_fn)


# ---- which examples come, and which come again --------------------------------------------------


class _Numbers(Dataset[Any]):
    """Its examples are their numbers, so that a loader over it tells what is drawn."""

    def __getitem__(self, row: Any) -> Any:
        return row


def _drawn(loader: Any) -> list[int] | None:
    """Return the rows that a loader draws; ``None`` if that cannot be known."""
    numbers = _sampled(_Numbers(), loader, _as_it_is)
    with (
        own_randomness(),
        _kept(loader.generator),
        _kept(getattr(loader.sampler, "generator", None)),
    ):
        batches = list(islice(numbers, MOST_DRAWN))
    rows = [row for batch in batches for row in (batch if isinstance(batch, list) else [batch])]
    if len(batches) == MOST_DRAWN or not all(hasattr(row, "__index__") for row in rows):
        return None
    return [int(row) for row in rows]


def _as_it_is(batch: Any) -> Any:
    return batch


@contextmanager
def _kept(generator: torch.Generator | None) -> Iterator[None]:
    """Give a generator back as it was."""
    state = generator.get_state() if generator is not None else None
    try:
        yield
    finally:
        if generator is not None and state is not None:
            generator.set_state(state)


def _once(loader: Any, rows: Sequence[int]) -> list[int]:
    """Return the rows to read of a loader that draws ``rows``, so that no example comes twice."""
    sampler = getattr(loader.batch_sampler, "sampler", loader.sampler)
    if isinstance(sampler, WeightedRandomSampler):  # chance left some out
        rows = sampler.weights.nonzero().flatten().tolist()
    elif isinstance(sampler, RandomSampler):
        rows = range(len(sampler.data_source))
    return _firsts(loader.dataset, sorted(rows))


def _firsts(dataset: Any, rows: Sequence[int]) -> list[int]:
    """Return the rows without those that hold an example again."""
    first: dict[tuple[int, int], int] = {}
    for row in rows:
        first.setdefault(_origin(dataset, row), row)
    return list(first.values())


def _origin(dataset: Any, row: int) -> tuple[int, int]:
    """Return the dataset that holds an example, and its row there."""
    while True:
        if isinstance(dataset, Subset):
            dataset, row = dataset.dataset, int(dataset.indices[row])
        elif isinstance(dataset, ConcatDataset):
            part = bisect_right(dataset.cumulative_sizes, row)
            row -= dataset.cumulative_sizes[part - 1] if part else 0
            dataset = dataset.datasets[part]
        else:
            return id(dataset), row


def _source(loader: Any) -> str:
    """Return the name of what gives examples again: a sampler, or a dataset of datasets."""
    sampler = getattr(loader.batch_sampler, "sampler", loader.batch_sampler or loader.sampler)
    plain = type(sampler) is SequentialSampler or is_plain(loader)
    return type(loader.dataset if plain else sampler).__name__
