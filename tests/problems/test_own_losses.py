"""Losses, labels and items as people bring them: fitted or refused, and equal to the framework's own."""

import re

import jax.numpy as jnp
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

import descenso
from descenso import problems
from descenso.errors import DataError, ProblemError
from descenso.problems._accuracy import Accuracy

TORCH = torch.Generator().manual_seed(0)
X = torch.randn(90, 3, generator=TORCH)
Y = 2 * X[:, 0] + 1
YES = (X[:, 0] > 0).float()
IMAGES = torch.randn(40, 1, 4, 4, generator=TORCH)
PIXELS = torch.arange(640).reshape(40, 4, 4) % 3


def linear(outputs=1):
    return lambda: nn.Linear(3, outputs)


def square(outputs, targets):
    return ((outputs - targets) ** 2).mean()


def rehearsed(make_model, data, **options):
    problem = problems.from_torch(make_model, data, **options)
    problems.rehearse(problem, problem.make_data(0))
    return problem


@pytest.mark.parametrize(
    ("make_model", "data"),
    [
        (linear(), (X, Y)),
        (linear(), (X, Y[:, None, None])),
        (linear(), (X, torch.stack([Y, -Y], 1))),
        (lambda: nn.Conv2d(1, 1, 1), (IMAGES, IMAGES[:, 0])),
        (lambda: nn.Sequential(nn.Linear(3, 1), nn.Unflatten(0, (-1, 1))), (X, Y)),
    ],
    ids=["(N,1) (N,)", "(N,1) (N,1,1)", "(N,1) (N,2)", "(N,1,H,W) (N,H,W)", "(N,1,1) (N,)"],
)
@pytest.mark.parametrize(
    "loss", [nn.MSELoss(), nn.HuberLoss(), functional.l1_loss, nn.PoissonNLLLoss(), square]
)
def test_a_loss_that_would_broadcast_is_refused_with_what_to_do(make_model, data, loss):
    with pytest.raises(ProblemError, match=r"loss: .* do not fit targets .*\. Give"):
        rehearsed(make_model, data, loss=loss)


def test_a_metric_that_would_broadcast_is_refused_too():
    with pytest.raises(ProblemError, match=r"metric: outputs of shape \(32, 1\) do not fit"):
        rehearsed(linear(), (X, Y), loss=lambda o, t: square(o[:, 0], t), metric=square)


@pytest.mark.parametrize(
    ("outputs", "loss"),
    [
        (1, lambda o, t: square(o.squeeze(1), t)),
        (1, lambda o, t: functional.mse_loss(o, t[:, None])),
        (2, lambda o, t: (o[:, 1] + (o[:, 0] - t) ** 2 * torch.exp(-o[:, 1])).mean()),
        (3, lambda o, t: torch.quantile((t[:, None] - o) * torch.tensor([0.1, 0.5, 0.9]), 0.5)),
    ],
    ids=["squeezed", "unsqueezed", "mean and variance", "weighted columns"],
)
def test_a_loss_that_fits_its_shapes_itself_is_taken(outputs, loss):
    assert rehearsed(linear(outputs), (X, Y), loss=loss).metric.name == "loss"


def pixels():
    return nn.Conv2d(1, 3, 1)


def test_labels_below_zero_are_refused_with_how_to_leave_them_out():
    with pytest.raises(DataError, match=r"count from 0; got -1.*ignore_index=-1"):
        problems.from_torch(pixels, (IMAGES, PIXELS - 1))


@pytest.mark.parametrize(
    ("targets", "loss"),
    [
        (torch.where(torch.arange(90) % 9 > 0, YES.long(), -100), "cross-entropy"),
        (torch.where(torch.arange(90) % 9 > 0, YES.long(), 7), nn.CrossEntropyLoss(ignore_index=7)),
        (
            torch.where(torch.arange(90) % 9 > 0, YES.long(), -100)[:, None].repeat(1, 3),
            lambda o, t: functional.cross_entropy(o[..., None].expand(-1, -1, 3), t),
        ),
    ],
    ids=["-100", "7", "own loss of rows"],
)
def test_examples_whose_labels_are_all_ignored_are_left_out_and_reported(targets, loss, capsys):
    problem = rehearsed(linear(2), (X, targets), loss=loss)
    assert "train: 10 examples are left out, for all their labels are" in capsys.readouterr().err
    data = problem.make_data(0)
    assert sum(map(len, (data.train, data.validation, data.test))) == 80
    one = torch.tensor(data.train.targets[:1])
    assert torch.isfinite(problem.loss(torch.zeros(1, 2), one))


def test_several_targets_of_an_item_are_refused_by_name():
    items = [(x, (label, x.sum())) for x, label in zip(X, YES.long(), strict=True)]
    for given in (DataLoader(items, 30), (X, [YES, Y])):
        with pytest.raises(DataError, match="Join several targets to one tensor"):
            problems.from_torch(linear(2), given)


def test_what_a_loss_lacks_is_named():
    cases = [
        (linear(), (X, YES.long()[:, None]), nn.BCEWithLogitsLoss(), "give targets.float()"),
        (linear(2), (X, YES), lambda o, t: functional.cross_entropy(o, t), "targets.long()"),
        (linear(2), (X, YES[:, None]), "cross-entropy", "Give labels.squeeze(-1)"),
        (linear(2), (X, 3 * YES), nn.CrossEntropyLoss(), "there is a label 3"),
        (linear(2), (X, 1 + YES), "cross-entropy", "count from 0). Give labels - 1"),
        (linear(1), (X, YES[:, None]), nn.BCELoss(), "end the module with nn.Sigmoid()"),
        (
            linear(2),
            (X, torch.eye(2).long()[YES.long()]),
            "cross-entropy",
            "labels.argmax(1), or, as",
        ),
        (pixels, (IMAGES, PIXELS[:, None]), "cross-entropy", "Give labels.squeeze(1)"),
        (pixels, (IMAGES, PIXELS + 253 * (PIXELS > 1)), "cross-entropy", "ignore_index=255"),
    ]
    for make_model, data, loss, message in cases:
        with pytest.raises(ProblemError, match=re.escape(message)):
            rehearsed(make_model, data, loss=loss)


def test_a_jax_loss_that_would_broadcast_is_refused():
    def of(targets, loss):
        problem = problems.from_jax(
            lambda key: {"w": jnp.ones((3, 1))},
            lambda p, x: x @ p["w"],
            (X.numpy(), targets),
            loss=loss,
        )
        return problems.rehearse(problem, problem.make_data(0))

    with pytest.raises(ProblemError, match=r"targets\.reshape\(-1, 1\)"):
        of(Y.numpy(), square)
    assert of(Y.numpy(), lambda o, t: square(o[:, 0], t)) > 0
    assert of(Y.numpy()[:, None], square) > 0


@pytest.mark.parametrize(
    ("loss", "targets", "threshold"),
    [
        (nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0])), YES, 0.0),
        (lambda o, t: functional.binary_cross_entropy_with_logits(o, t), YES, 0.0),
        (nn.MSELoss(), YES, 0.5),
        (lambda o, t: torch.relu(1 - o * t).mean(), 2 * YES - 1, 0.0),
    ],
)
def test_accuracy_of_one_output_goes_by_its_loss(loss, targets, threshold):
    problem = rehearsed(linear(), (X, targets[:, None]), loss=loss, metric="accuracy")
    outputs = threshold + torch.where(targets > 0, 1.0, -1.0)[:, None]
    assert float(problem.metric.function(outputs, targets[:, None])) == 1
    assert float(problem.metric.function(outputs.flatten(), targets)) == 1
    assert float(problem.metric.function(-outputs + 2 * threshold, targets[:, None])) == 0


def test_labels_of_pixels_and_shares_are_judged_without_those_ignored():
    labels = (IMAGES[:, 0] > 0).long()
    labels[:, 0] = 255
    loss = nn.CrossEntropyLoss(ignore_index=255)
    problem = rehearsed(lambda: nn.Conv2d(1, 2, 1), (IMAGES, labels), loss=loss, metric="accuracy")
    right = torch.stack([-IMAGES[:, 0], IMAGES[:, 0]], 1)
    assert float(problem.metric.function(right, labels)) == 1
    assert float(Accuracy(axis=1)(right, labels)) == 0.75
    shares = torch.stack([0.9 - 0.8 * YES, 0.1 + 0.8 * YES], 1)
    smooth = rehearsed(linear(2), (X, shares), loss=nn.CrossEntropyLoss(), metric="accuracy")
    assert float(smooth.metric.function(shares, shares)) == 1


class Named(Dataset):
    def __init__(self, **columns):
        self.columns = columns

    def __len__(self):
        return 90

    def __getitem__(self, i):
        return {name: column[i] for name, column in self.columns.items()}


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, values, mask):
        return self.layer(values * mask)


def test_items_that_are_mappings_go_to_the_module_by_name(capsys):
    items = Named(mask=torch.ones(90, 3), labels=YES.long(), values=X, index=torch.arange(90))
    problem = rehearsed(Two, items)
    printed = capsys.readouterr().err
    assert "labels is the target; to the module by name: mask, values; left out: index" in printed
    data = problem.make_data(0).train
    assert data.inputs.dtype.names is not None
    with pytest.raises(DataError, match="forward takes values, mask; the items have values"):
        problems.from_torch(Two, Named(values=X, labels=YES.long()))
    with pytest.raises(DataError, match="which is the target"):
        problems.from_torch(Two, Named(values=X, mask=X))


def test_which_of_three_elements_is_the_target_is_said_or_asked(capsys):
    rehearsed(Two, TensorDataset(X, torch.ones(90, 3), YES.long()))
    assert "the last element is the target; the others are inputs" in capsys.readouterr().err
    with pytest.raises(DataError, match="Which is the target, and which are left out"):
        problems.from_torch(linear(2), TensorDataset(X, YES.long(), torch.arange(90)))


class Ragged(Dataset):
    def __len__(self):
        return 60

    def __getitem__(self, i):
        return torch.full((2 + i % 5,), 1 + i % 2), i % 2


def pad(items):
    values = nn.utils.rnn.pad_sequence([x for x, _ in items], batch_first=True)
    return values, torch.tensor([y for _, y in items])


def test_batches_of_several_shapes_are_padded_by_their_own_function(capsys):
    problem = problems.from_torch(linear(2), DataLoader(Ragged(), 2, collate_fn=pad))
    assert problem.make_data(0).train.inputs.shape == (36, 6)
    assert "collate_fn pads all examples as one batch, to 6" in capsys.readouterr().err
    with pytest.raises(DataError, match="need a DataLoader whose collate_fn pads them"):
        problems.from_torch(linear(2), Ragged())


class Augmented(Dataset):
    def __len__(self):
        return 90

    def __getitem__(self, i):
        return X[i] + torch.randn(3), int(YES[i])


def test_a_random_transform_that_is_drawn_once_is_warned_of():
    with pytest.warns(UserWarning, match="an item read twice differs"):
        problems.from_torch(linear(2), DataLoader(Augmented(), 30, shuffle=True))


def test_sparse_gradients_are_found_before_training():
    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.bag, self.last = nn.EmbeddingBag(9, 4, sparse=True), nn.Linear(4, 2)

        def forward(self, x):
            return self.last(self.bag(x))

    with pytest.raises(ProblemError, match=r"gradient of bag.weight is sparse.*sparse=False"):
        rehearsed(Bag, (torch.randint(0, 9, (90, 3)), YES.long()))


class Breaks(nn.Module):
    """Fails on batches after the first steps, whatever the learning rate."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        if self.training and x.sum() > self.layer.weight.sum() * 0 + 3:
            raise ValueError("no such luck")
        return self.layer(x)


def test_an_error_of_every_run_is_an_error_and_is_not_stored(tmp_path):
    inputs = X - X.mean(0)
    inputs = torch.cat([torch.zeros(32, 3), inputs.abs() + 1])
    labels = torch.arange(len(inputs)) % 2
    parts = (inputs, labels), (inputs[:40], labels[:40]), (inputs[:40], labels[:40])
    problem = problems.from_torch(Breaks, *parts, epochs=2, compile=False)
    for _again in range(2):
        with pytest.raises(ProblemError, match=r"every run ended by an error.*no such luck"):
            descenso.compare(
                problem, ["adam", "momentum"], seeds=2, trials=2, store=tmp_path / "s.db"
            )


def test_examples_without_a_loss_are_named_where_every_run_diverged(tmp_path):
    targets = Y.abs().clone()
    targets[50] = -1.0  # whose logarithm is none
    parts = (X, targets), (X[:40], targets[:40]), (X[:40], targets[:40])
    loss = lambda o, t: square(o[:, 0], torch.log(t))  # noqa: E731
    problem = problems.from_torch(linear(), *parts, loss=loss, epochs=2, batch_size=9)
    with pytest.raises(ProblemError, match="training example 50 is not finite before any training"):
        descenso.compare(problem, ["adam"], seeds=2, trials=2, store=tmp_path / "s.db")


@pytest.mark.parametrize(
    ("classes", "loss", "wanted"),
    [
        (5, lambda o, t: functional.cross_entropy(o.reshape(-1, 5), t.reshape(-1)), 1.0),
        (5, lambda o, t: functional.cross_entropy(o.transpose(1, 2), t), 1.0),
        (5, functional.cross_entropy, 0.0),
        (7, lambda o, t: functional.cross_entropy(o.reshape(-1, 7), t.reshape(-1)), 1.0),
    ],
)
def test_the_axis_of_classes_is_the_one_that_the_loss_takes(classes, loss, wanted):
    outputs = torch.randn(40, 5, classes, generator=TORCH)
    labels = outputs.argmax(-1)
    data = (outputs, labels)
    made = problems.from_torch(
        lambda: nn.Linear(classes, classes), data, validation=data, test=data, loss=loss,
        metric="accuracy",
    )  # fmt: skip
    judged = made.metric.function(outputs.numpy(), labels.numpy())
    across = float((outputs.argmax(1) == labels).float().mean()) if classes == 5 else 0.0
    assert float(judged) == pytest.approx(wanted or across)
