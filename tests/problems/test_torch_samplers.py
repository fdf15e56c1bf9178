"""Examples that a loader would give twice are read once, or asked about."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    IterableDataset,
    RandomSampler,
    Sampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from descenso import problems
from descenso.errors import DataError

X = torch.arange(60.0)[:, None].repeat(1, 4)
DATASET = TensorDataset(X, torch.arange(60) % 3)
WEIGHTS = torch.cat([torch.rand(50) + 0.1, torch.zeros(10)])


class Twice(Sampler):
    def __iter__(self):
        return iter([*range(40), *range(40)])

    def __len__(self):
        return 80


class Stream(IterableDataset):
    def __iter__(self):
        return iter(DATASET)


class OfOnesOwn(DataLoader):
    pass


def rows_of(*given):
    data = problems.from_torch(lambda: nn.Linear(4, 3), *given).make_data(0)
    parts = data.train, data.validation, data.test
    return [[int(row[0]) for row in part.inputs] for part in parts]


def all_of(loader):
    return sorted(row for part in rows_of(loader) for row in part)


def sampled(sampler, **options):
    return DataLoader(DATASET, 8, sampler=sampler, **options)


@pytest.mark.parametrize(
    ("loader", "expected"),
    [
        (DataLoader(Stream(), 8, num_workers=2), range(60)),
        (sampled(WeightedRandomSampler(WEIGHTS, 100)), range(50)),
        (sampled(RandomSampler(DATASET, replacement=True)), range(60)),
        (sampled(RandomSampler(DATASET, num_samples=90)), range(60)),
        (sampled(Twice()), range(40)),
        (DataLoader(DATASET, batch_sampler=BatchSampler(Twice(), 8, False)), range(40)),
        (DataLoader(DATASET, batch_sampler=[[*range(10)], [*range(5, 20)]]), range(20)),
        (Subset(DATASET, np.array([*range(20), *range(10)])), range(20)),
        (DataLoader(ConcatDataset([DATASET, Subset(DATASET, range(9))]), 8), range(60)),
    ],
    ids=["workers of a stream", "weights", "replacement", "more samples than examples",
         "own sampler", "own batches", "lists", "bootstrapped subset", "joined twice"],
)  # fmt: skip
def test_each_example_falls_into_one_part_and_that_is_said(loader, expected, capsys):
    assert all_of(loader) == list(expected)
    assert "train: " in capsys.readouterr().err


def test_a_sampler_that_draws_each_example_once_is_followed(capsys):
    for workers in (0, 1):
        loader = sampled(SubsetRandomSampler(np.arange(30)), num_workers=workers)
        assert all_of(loader) == list(range(30))
    assert not capsys.readouterr().err


def test_what_a_sampler_draws_again_stays_where_no_part_is_split_off(capsys):
    kept = Subset(DATASET, range(50, 55)), Subset(DATASET, range(55, 60))
    train, validation, test = rows_of(sampled(WeightedRandomSampler(WEIGHTS, 100)), *kept)
    assert len(train) == 100
    assert len(set(train)) < 50
    assert (validation, test) == ([*range(50, 55)], [*range(55, 60)])
    assert "what WeightedRandomSampler draws is drawn once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        (OfOnesOwn(DATASET, 8, sampler=Twice()), "Twice gives examples again"),
        (OfOnesOwn(Stream(), 8, num_workers=2), "OfOnesOwn has 2 workers.*num_workers=0"),
        (DataLoader(DATASET, None, sampler=BatchSampler(Twice(), 8, False)), "BatchSampler gives"),
    ],
)
def test_a_loader_whose_own_code_repeats_examples_is_refused(loader, message):
    with pytest.raises(DataError, match=message):
        rows_of(loader)


def test_the_generator_of_a_sampler_is_left_as_it_was():
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()
    loader = sampled(WeightedRandomSampler(WEIGHTS, 100, generator=generator))
    rows_of(loader)
    assert torch.equal(generator.get_state(), before)


def test_values_that_lie_end_to_end_are_refused_with_what_to_do():
    def end_to_end(items):
        starts = torch.tensor([0, *(len(x) for x, _y in items[:-1])]).cumsum(0)
        return torch.cat([x for x, _y in items]), starts, torch.tensor([y for _x, y in items])

    class Bag(nn.Module):
        def forward(self, values, offsets):
            return values

    items = [(torch.arange(2 + i % 3), i % 2) for i in range(30)]
    with pytest.raises(DataError, match=r"90 values for 30 targets lie end to end.*padding_idx=0"):
        problems.from_torch(Bag, DataLoader(items, 10, collate_fn=end_to_end))
