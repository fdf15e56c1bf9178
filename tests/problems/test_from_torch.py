"""Problems of the user's own torch module and data, sound and broken."""

import random
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from descenso import problems
from descenso.errors import DataError, ProblemError, UnknownNameError
from descenso.problems import Metric, Split, _torch_examples

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
LABELS = np.arange(60) % 3
TARGETS = X[:, :1] * 2
TX, TLABELS = torch.tensor(X), torch.tensor(LABELS)


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))


def line() -> nn.Module:
    return nn.Linear(4, 1)


def rehearse(problem):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return problems.rehearse(problem, problem.make_data(0))


class Squares(Dataset):
    def __len__(self):
        return 60

    def __getitem__(self, i):
        if i >= 60:
            raise IndexError
        return TX[i], int(LABELS[i])


class Stream(IterableDataset):
    """Goes on for ever unless told where to end."""

    def __init__(self, end=None, says=None):
        self.end, self.says = end, says

    def __iter__(self):
        i = 0
        while self.end is None or i < self.end:
            yield TX[i % 60], TLABELS[i % 60]
            i += 1


class Boastful(Stream):
    def __len__(self):
        return 30


@pytest.mark.parametrize(
    "given",
    [
        (X, LABELS),
        (TX, TLABELS),
        Split(X, LABELS),
        TensorDataset(TX, TLABELS),
        Squares(),
        Stream(end=60),
        DataLoader(Squares(), batch_size=7),
        DataLoader(TensorDataset(TX, TLABELS), batch_size=16, shuffle=True, drop_last=True),
        DataLoader(Stream(end=60), batch_size=8),
    ],
    ids=["arrays", "tensors", "split", "tensor dataset", "dataset", "iterable", "loader",
         "shuffling loader", "iterable loader"],
)  # fmt: skip
def test_the_same_examples_are_read_from_whatever_holds_them(given):
    data = problems.from_torch(net, given).make_data(0)
    expected = problems.from_torch(net, (X, LABELS)).make_data(0)
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(data, part).inputs, getattr(expected, part).inputs)
        np.testing.assert_array_equal(getattr(data, part).targets, getattr(expected, part).targets)


def test_a_subset_is_read_and_no_example_beside_it():
    data = problems.from_torch(net, Subset(Squares(), range(30)), Subset(Squares(), range(30, 45)),
                               Subset(Squares(), range(45, 60))).make_data(0)  # fmt: skip
    np.testing.assert_array_equal(data.train.inputs, X[:30])
    np.testing.assert_array_equal(data.test.inputs, X[45:])


@pytest.mark.parametrize(
    ("given", "sizes"),
    [({}, [36, 12, 12]), ({"test": (X[:9], LABELS[:9])}, [48, 12, 9]),
     ({"validation": (X[:9], LABELS[:9])}, [48, 9, 12])],
)  # fmt: skip
def test_parts_that_are_missing_are_split_off_by_the_seed(given, sizes):
    problem = problems.from_torch(net, (X, LABELS), **given)
    first, again, other = (problem.make_data(seed) for seed in (1, 1, 2))
    assert [len(part) for part in (first.train, first.validation, first.test)] == sizes
    np.testing.assert_array_equal(first.train.inputs, again.train.inputs)
    assert not np.array_equal(first.train.inputs, other.train.inputs)


def test_the_batch_size_is_the_loaders_unless_given():
    loader = DataLoader(Squares(), batch_size=7)
    assert problems.from_torch(net, loader).batch_size == 7
    assert problems.from_torch(net, loader, batch_size=5).batch_size == 5
    assert problems.from_torch(net, (X, LABELS)).batch_size == 32


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.scores = nn.Embedding(5, 3), nn.Linear(7, 3)

    def forward(self, numbers, words):
        return self.scores(torch.cat([numbers, self.words(words)], 1))


@pytest.mark.parametrize("as_dataset", [False, True])
def test_a_module_may_take_several_inputs(as_dataset):
    words = torch.arange(60) % 5
    given = TensorDataset(TX, words, TLABELS) if as_dataset else ((TX, words), TLABELS)
    problem = problems.from_torch(TwoInputs, given)
    assert rehearse(problem) > 0
    assert problem.make_data(0).train.inputs.dtype.names == ("input0", "input1")


def test_initial_weights_follow_the_generator_and_leave_the_callers_alone():
    problem = problems.from_torch(net, (X, LABELS))
    torch.manual_seed(3)
    before = torch.get_rng_state(), random.getstate()
    first, again, other = (problem.init(np.random.default_rng(s))[0].weight for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]


def test_lazy_layers_and_doubles_are_served():
    lazy = problems.from_torch(lambda: nn.Sequential(nn.LazyLinear(3)), (X, LABELS))
    assert rehearse(lazy) > 0
    assert rehearse(problems.from_torch(lambda: net().double(), (X, LABELS))) > 0


def test_losses_and_metrics_go_by_name_or_function():
    assert problems.from_torch(net, (X, LABELS)).metric.name == "accuracy"
    problem = problems.from_torch(line, (X, TARGETS), loss="mse")
    assert problem.metric.name == "r2"
    assert rehearse(problem) > 0
    problem = problems.from_torch(line, (X, TARGETS), loss=nn.L1Loss(), metric="rmse")
    assert problem.metric.name == "rmse"
    assert rehearse(problem) > 0
    problem = problems.from_torch(line, (X, TARGETS), loss=nn.functional.huber_loss)
    assert problem.metric.name == "loss"
    hits = Metric("hits", lambda o, t: ((o - t).abs() < 1).float().mean(), higher_is_better=True)
    assert problems.from_torch(line, (X, TARGETS), loss="mse", metric=hits).metric is hits


def test_what_makes_a_problem_the_same_is_its_data_and_its_weights():
    def print_of(make=net, targets=LABELS):
        problem = problems.from_torch(make, (X, targets))
        return problems.fingerprint(problem, problem.make_data(0))

    assert print_of() == print_of()
    assert print_of() != print_of(lambda: nn.Linear(4, 3))
    assert print_of() != print_of(targets=LABELS[::-1].copy())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "crossentropy"}, UnknownNameError, "no loss named 'crossentropy'"),
        ({"metric": "acuracy"}, UnknownNameError, "Did you mean 'accuracy'"),
        ({"make_model": nn.Linear(4, 3)}, ProblemError, r"a new module.*lambda: Linear\(\.\.\.\)"),
        ({"make_model": 3}, ProblemError, "make_model must be a function; got int"),
        ({"batch_size": 2.5}, ProblemError, r"batch_size must be a whole number ≥ 1; got 2\.5"),
        ({"epochs": 0}, ProblemError, "epochs must be a whole number"),
        ({"train": None}, DataError, "train: it must be a pair"),
        ({"train": (X, LABELS[:-1])}, DataError, "60 inputs but 59 targets"),
        ({"train": (X, np.zeros(60, int))}, DataError, "all examples are of one class"),
        ({"train": (X, LABELS - 1)}, DataError, "class labels count from 0; got -1"),
        ({"train": ((TX, TX[:50]), TLABELS)}, DataError, "50 inputs but 60 targets"),
        ({"test": (X[:0], LABELS[:0])}, DataError, "test: there are no examples"),
        ({"validation": TensorDataset(TX[:0], TLABELS[:0])}, DataError, "there are no examples"),
        ({"validation": Subset(Squares(), [])}, DataError, "validation: there are no examples"),
        ({"train": Subset(Squares(), [70])}, DataError, "reading it failed: IndexError"),
        ({"train": TX}, DataError, r"a pair \(inputs, targets\), a Dataset or a DataLoader"),
        ({"train": TensorDataset(TX)}, DataError, "it must give pairs"),
        ({"train": (X[:3], LABELS[:3])}, DataError, "too few to split"),
    ],
)
def test_a_wrong_argument_is_named_at_once(options, error, message):
    given = {"make_model": net, "train": (X, LABELS), **options}
    make_model, train = given.pop("make_model"), given.pop("train")
    with pytest.raises(error, match=message):
        problems.from_torch(make_model, train, **given)


def test_a_loader_that_never_ends_is_told_with_how_much_was_read(monkeypatch):
    monkeypatch.setattr(_torch_examples, "MOST_EXAMPLES", 500)
    message = r"train: it gave 510 examples .* has not ended; at most 500 examples and [0-9.]+ GiB"
    with pytest.raises(DataError, match=message):
        problems.from_torch(net, DataLoader(Stream(), batch_size=10))
    monkeypatch.setattr(_torch_examples, "MOST_BYTES", 2**10)
    with pytest.raises(DataError, match="has not ended"):
        problems.from_torch(net, Stream())


@pytest.mark.filterwarnings("ignore:Length of IterableDataset")
def test_a_loader_that_gives_more_than_it_says_is_refused():
    with pytest.raises(DataError, match="it says it has 3 batches, but gives more"):
        problems.from_torch(net, DataLoader(Boastful(), batch_size=10))


class Spoilt(nn.Module):
    """A linear layer with one thing wrong."""

    def __init__(self, fault):
        super().__init__()
        self.fault, self.layer, self.calls = fault, nn.Linear(4, 3), 0
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        outputs = self.layer(x)
        if self.fault == "counts":
            self.calls += 1
        if self.fault == "shrinks":
            self.passes += 1
            return outputs if self.passes < 2 else outputs[:, :2]
        if self.fault == "learns while it evaluates" and not self.training:
            self.passes += 1
        if self.fault == "draws while it evaluates" and not self.training:
            return outputs + torch.randn_like(outputs)
        if self.fault == "fails while it evaluates" and not self.training:
            raise KeyError("gone")
        return {
            "nan": outputs * torch.nan,
            "a pair": (outputs, outputs),
            "one row": outputs[:1],
            "few classes": outputs[:, :2],
            "no gradient": outputs.detach(),
            "images": outputs[..., None],
        }.get(self.fault, outputs)


_CALLS = []  # a global state


class Remembers(nn.Module):
    """Keeps something besides parameters and buffers; in training it may matter."""

    def __init__(self, what):
        super().__init__()
        self.what, self.layer = what, nn.Linear(4, 3)
        self.mean, self.seen = torch.zeros(4), []
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, x):
        if not self.training:
            return self.layer(x)
        if self.what == "a global":
            _CALLS.append(1)
            return self.layer(x) * len(_CALLS)
        if self.what == "a generator":
            return self.layer(x * torch.rand(x.shape, generator=self.generator))
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        self.seen.append(1)
        if self.what == "a tensor":
            return self.layer(x - self.mean)
        return self.layer(x) * (len(self.seen) if self.what == "a list" else 1)


@pytest.mark.parametrize("what", ["a tensor", "a list", "a global", "a generator"])
def test_a_module_that_remembers_elsewhere_is_refused_for_it_could_not_be_resumed(what):
    problem = problems.from_torch(lambda: Remembers(what), (X, LABELS))
    with pytest.raises(ProblemError, match="the module remembers something elsewhere"):
        rehearse(problem)


def test_what_a_module_remembers_without_using_it_is_its_own_business():
    assert rehearse(problems.from_torch(lambda: Remembers("nothing"), (X, LABELS))) > 0


@pytest.mark.parametrize(
    "make_model",
    [
        lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3)),
        lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)),
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)),
        lambda: nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.Linear(8, 3)),
    ],
    ids=["dropout and batch normalisation", "spectral norm", "weight norm", "lazy"],
)
def test_what_a_module_keeps_in_buffers_and_draws_at_random_is_no_such_thing(make_model):
    assert rehearse(problems.from_torch(make_model, (X, LABELS))) > 0


_SHARED = net()


def _frozen():
    return net().requires_grad_(False)


def _infinite():
    module = net()
    nn.init.constant_(module[0].weight, torch.inf)
    return module


def _drawn_apart():
    module = net()
    nn.init.constant_(module[0].bias, float(np.random.default_rng().normal()))
    return module


def _fails():
    raise RuntimeError("no such layer")


@pytest.mark.parametrize(
    ("make_model", "message"),
    [
        (lambda: 3, "make_model must return a torch.nn.Module; it returned int"),
        (_fails, r"make_model\(\) failed: RuntimeError: no such layer"),
        (lambda: nn.Linear(5, 3), "the module fails on the first batch: RuntimeError"),
        (lambda: _SHARED, "it returned the same weights twice"),
        (_drawn_apart, r"gave 0\.bias other values when called again with the same seed"),
        (_frozen, "no parameter that requires a gradient"),
        (_infinite, r"parameter 0\.weight holds values that are not finite"),
        (lambda: Spoilt("nan"), "loss: it is nan on the first batch, before any training"),
        (lambda: Spoilt("a pair"), "must return one tensor; it returned tuple"),
        (lambda: Spoilt("one row"), "32 examples gave outputs of shape"),
        (lambda: Spoilt("images"), r"outputs of shape \(examples, classes\); got \(32, 3, 1\)"),
        (lambda: Spoilt("few classes"), "gives 2 outputs, but there is a label 2"),
        (lambda: Spoilt("no gradient"), "the loss does not depend on any parameter"),
        (lambda: Spoilt("shrinks"), r"outputs change shape: \(32, 3\), then \(32, 2\)"),
        (lambda: Spoilt("counts"), "training changes the module's calls from 0 to 2"),
        (lambda: Spoilt("learns while it evaluates"), "evaluating .* changes passes"),
        (lambda: Spoilt("draws while it evaluates"), "other outputs for the same inputs"),
        (lambda: Spoilt("fails while it evaluates"), "KeyError: 'gone'"),
    ],
)
def test_a_module_that_cannot_be_trained_is_told_before_training(make_model, message):
    with pytest.raises(ProblemError, match=message):
        rehearse(problems.from_torch(make_model, (X, LABELS)))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda o, t: (o - t) ** 2, r"loss: it must be one number.*got shape \(32, 1\)"),
        (nn.MSELoss(reduction="none"), r"loss: it must be one number.*got shape \(32, 1\)"),
        (lambda o, t: 1 / 0, "ZeroDivisionError"),
        ("mse", None),
    ],
)
def test_a_loss_must_be_one_number(loss, message):
    problem = problems.from_torch(line, (X, TARGETS), loss=loss)
    if message is None:
        assert rehearse(problem) > 0
        return
    with pytest.raises(ProblemError, match=message):
        rehearse(problem)


def test_targets_of_another_shape_than_the_outputs_are_refused():
    with pytest.raises(ProblemError, match=r"outputs of shape \(32, 1\) do not fit targets"):
        rehearse(problems.from_torch(line, (X, TARGETS[:, 0]), loss="mse"))
