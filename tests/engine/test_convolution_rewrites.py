"""Fast forms of convolution and pooling against XLA's own."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from descenso import methods
from descenso.engine import layout
from descenso.engine.jax import JaxEngine
from descenso.engine.jax.convolution import minimal_filtering
from descenso.engine.jax.convolution.rewrites import in_fast_forms, with_fast_forms
from descenso.problems import Data, Split
from descenso.records import Member

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(3, 9, 8, 4)).astype(np.float32)
NHWC = ("NHWC", "HWIO", "NHWC")


def same(function, *arguments, slow):
    """Check values and gradients, and that none of the slow operations is left."""
    fast = in_fast_forms(function)

    def score(f):
        return lambda *a: jnp.sum(jnp.sin(f(*a)))

    assert slow in str(jax.make_jaxpr(function)(*arguments))
    assert slow not in str(jax.make_jaxpr(fast)(*arguments))
    np.testing.assert_allclose(
        jax.jit(fast)(*arguments), function(*arguments), rtol=1e-4, atol=1e-5
    )
    everything = tuple(range(len(arguments)))
    ours, theirs = (jax.jit(jax.grad(score(f), everything))(*arguments) for f in (fast, function))
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"window_strides": (1, 1), "padding": "VALID"},
        {"window_strides": (1, 1), "padding": "SAME"},
        {"window_strides": (2, 1), "padding": "SAME"},
        {"window_strides": (2, 3), "padding": ((3, 0), (1, 2))},
        {"window_strides": (1, 1), "padding": ((-1, 0), (1, 2))},
        {"window_strides": (1, 1), "padding": "SAME", "rhs_dilation": (2, 3)},
    ],
)
@pytest.mark.parametrize("side", [1, 2, 3])
def test_a_convolution_is_xlas(options, side):
    kernel = RNG.normal(size=(side, 3, 4, 5)).astype(np.float32)

    def convolve(images, kernel):
        return lax.conv_general_dilated(images, kernel, dimension_numbers=NHWC, **options)

    same(convolve, IMAGES, kernel, slow="conv_general_dilated")


@pytest.mark.parametrize(
    ("lhs", "rhs", "out"), [("NCHW", "OIHW", "NCHW"), ("NCHW", "HWIO", "NHWC")]
)
def test_axes_may_stand_in_any_order(lhs, rhs, out):
    images = RNG.normal(size=(2, 4, 9, 7)).astype(np.float32)
    kernel = RNG.normal(size=(5, 4, 3, 2) if rhs == "OIHW" else (3, 2, 4, 5)).astype(np.float32)

    def convolve(images, kernel):
        return lax.conv_general_dilated(
            images, kernel, (1, 2), "SAME", dimension_numbers=(lhs, rhs, out)
        )

    same(convolve, images, kernel, slow="conv_general_dilated")


def test_one_and_three_dimensions_and_depthwise_kernels():
    def along(images, kernel):
        return lax.conv_general_dilated(
            images, kernel, (2,), "SAME", dimension_numbers=("NWC", "WIO", "NWC")
        )

    line, solid = (RNG.normal(size=s).astype(np.float32) for s in ((2, 9, 3), (2, 3, 4, 5, 2)))
    same(along, line, RNG.normal(size=(3, 3, 4)).astype(np.float32), slow="conv_general_dilated")

    def in_space(images, kernel):
        axes = ("NDHWC", "DHWIO", "NDHWC")
        return lax.conv_general_dilated(images, kernel, (1,) * 3, "SAME", dimension_numbers=axes)

    kernel = RNG.normal(size=(2, 2, 3, 2, 3)).astype(np.float32)
    same(in_space, solid, kernel, slow="conv_general_dilated")

    def each_channel(images, kernel):
        return lax.conv_general_dilated(
            images, kernel, (1, 1), "SAME", dimension_numbers=NHWC, feature_group_count=4
        )

    for outputs in (4, 8):
        kernel = RNG.normal(size=(3, 3, 1, outputs)).astype(np.float32)
        same(each_channel, IMAGES, kernel, slow="conv_general_dilated")


@pytest.mark.parametrize("operation", [(-np.inf, lax.max, "max"), (0.0, lax.add, "sum")])
@pytest.mark.parametrize(
    ("window", "strides", "padding"),
    [((2, 2), (2, 2), "VALID"), ((2, 3), (2, 3), "SAME"), ((3, 3), (2, 1), "SAME"),
     ((3, 2), (1, 1), "VALID"), ((2, 1), (3, 2), "VALID"), ((4, 3), (3, 2), ((1, 2), (0, 2)))],
)  # fmt: skip
def test_pooling_is_xlas(operation, window, strides, padding):
    blank, combine, name = operation

    def pool(images):
        widths = padding if isinstance(padding, str) else ((0, 0), *padding, (0, 0))
        return lax.reduce_window(images, blank, combine, (1, *window, 1), (1, *strides, 1), widths)

    same(pool, IMAGES, slow=f"reduce_window_{name}")


@pytest.mark.parametrize("strides", [(2, 2), (1, 3)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_transposed_convolutions(strides, padding):
    def transposed(images, kernel):
        return lax.conv_transpose(images, kernel, strides, padding, dimension_numbers=NHWC)

    kernel = RNG.normal(size=(3, 3, 4, 5)).astype(np.float32)
    same(transposed, IMAGES, kernel, slow="conv_general_dilated")


@pytest.mark.parametrize("outputs", [2, 6])
def test_channels_in_groups(outputs):
    def grouped(images, kernel):
        return lax.conv_general_dilated(
            images, kernel, (1, 2), "SAME", dimension_numbers=NHWC, feature_group_count=2
        )

    kernel = RNG.normal(size=(3, 2, 2, outputs)).astype(np.float32)
    same(grouped, IMAGES, kernel, slow="conv_general_dilated")


def convolved(images, kernel):
    return lax.conv_general_dilated(images, kernel, (1, 1), "SAME", dimension_numbers=NHWC)


@pytest.mark.parametrize("some", [1, 2, 5])  # of 5 images: one by one, 2 and 2 and 1, all
def test_some_images_at_a_time_give_the_figures_of_all(some, monkeypatch):
    images = RNG.normal(size=(5, 6, 4, 3)).astype(np.float32)
    kernel = RNG.normal(size=(3, 3, 3, 2)).astype(np.float32)
    monkeypatch.setattr(layout, "BYTES_AT_A_TIME", some * 9 * images[0].nbytes)
    same(convolved, images, kernel, slow="conv_general_dilated")
    in_turn = "scan" in str(jax.make_jaxpr(in_fast_forms(convolved))(images, kernel))
    assert in_turn is (some < 5)


# ---- minimal filtering -------------------------------------------------------------------------


@pytest.fixture
def filtered(monkeypatch):
    """Return the list of kernel shapes that minimal filtering was taken for."""
    taken, convolve = [], minimal_filtering.convolve

    def noted(images, kernel):
        taken.append(kernel.shape)
        return convolve(images, kernel)

    monkeypatch.setattr(minimal_filtering, "convolve", noted)
    return taken


@pytest.mark.parametrize(
    ("sizes", "padding"),
    [((8, 8), "VALID"), ((11, 13), "SAME"), ((10, 9), "VALID"), ((8, 12), ((0, 1), (3, -1)))],
)
def test_with_many_channels_a_convolution_takes_fewer_products(sizes, padding, filtered):
    images = RNG.normal(size=(3, *sizes, 32)).astype(np.float32)
    kernel = (RNG.normal(size=(3, 3, 32, 64)) / 17).astype(np.float32)

    def convolve(images, kernel):
        return lax.conv_general_dilated(images, kernel, (1, 1), padding, dimension_numbers=NHWC)

    same(convolve, images, kernel, slow="conv_general_dilated")
    assert set(filtered) == {(3, 3, 32, 64)}


def test_fewer_products_in_any_order_of_axes_and_some_images_at_a_time(filtered, monkeypatch):
    images = RNG.normal(size=(5, 32, 9, 8)).astype(np.float32)
    kernel = (RNG.normal(size=(64, 32, 3, 3)) / 17).astype(np.float32)

    def convolve(images, kernel):
        axes = ("NCHW", "OIHW", "NCHW")
        return lax.conv_general_dilated(images, kernel, (1, 1), "SAME", dimension_numbers=axes)

    same(convolve, images, kernel, slow="conv_general_dilated")
    tiles = 5 * 4
    monkeypatch.setattr(layout, "BYTES_AT_A_TIME", 2 * 4 * 16 * tiles * 64)  # 2 and 2 and 1
    same(convolve, images, kernel, slow="conv_general_dilated")
    assert "scan" in str(jax.make_jaxpr(in_fast_forms(convolve))(images, kernel))
    assert filtered


@pytest.mark.parametrize(
    ("images", "kernel", "options"),
    [
        ((2, 12, 12, 1), (3, 3, 1, 32), {}),  # little to sum over
        ((2, 12, 12, 8), (3, 3, 8, 8), {}),
        ((2, 5, 12, 64), (3, 3, 64, 64), {}),  # three rows of outputs take two rows of tiles
        ((2, 12, 12, 32), (5, 5, 32, 32), {}),
        ((2, 12, 12, 32), (3, 3, 32, 32), {"window_strides": (1, 2)}),
        ((2, 12, 12, 32), (3, 3, 32, 32), {"rhs_dilation": (2, 2)}),
        ((2, 12, 12, 32), (3, 3, 1, 32), {"feature_group_count": 32}),
    ],
)
def test_where_fewer_products_do_not_pay_the_sums_are_written_out(
    images, kernel, options, filtered
):
    images, kernel = (RNG.normal(size=s).astype(np.float32) / 10 for s in (images, kernel))
    options = {"window_strides": (1, 1), "padding": "VALID", **options}

    def convolve(images, kernel):
        return lax.conv_general_dilated(images, kernel, dimension_numbers=NHWC, **options)

    same(convolve, images, kernel, slow="conv_general_dilated")
    assert not filtered


def test_half_precision_is_not_filtered(filtered):
    images, kernel = jnp.ones((2, 12, 12, 32), jnp.bfloat16), jnp.ones((3, 3, 32, 32), jnp.bfloat16)
    assert in_fast_forms(convolved)(images, kernel).dtype == jnp.bfloat16
    assert not filtered


def test_fewer_products_lose_little_exactness():
    images, kernel = RNG.normal(size=(4, 14, 14, 64)), RNG.normal(size=(3, 3, 64, 64))
    exact = sum(
        images[:, i : i + 12, j : j + 12] @ kernel[i, j] for i in range(3) for j in range(3)
    )
    images, kernel = images.astype(np.float32), kernel.astype(np.float32)
    # XLA's own convolution sums in single precision, place by place.
    plain = lax.conv_general_dilated(images, kernel, (1, 1), "VALID", dimension_numbers=NHWC)
    ours, theirs = (
        float(np.sqrt(np.mean((np.asarray(f) - exact) ** 2)))
        for f in (minimal_filtering.convolve(images, kernel), plain)
    )
    assert ours < 3 * theirs


def test_filtering_of_members_side_by_side_is_that_of_each():
    images = RNG.normal(size=(2, 3, 8, 8, 16)).astype(np.float32)
    kernels = RNG.normal(size=(2, 3, 3, 16, 32)).astype(np.float32)

    def score(images, kernel):
        return jnp.sum(jnp.sin(minimal_filtering.convolve(images, kernel)))

    gradient = jax.grad(score, (0, 1))
    together = jax.jit(jax.vmap(gradient))(images, kernels)
    for i in range(2):
        alone_too = jax.jit(gradient)(images[i], kernels[i])
        for all_of_them, alone in zip(together, alone_too, strict=True):
            np.testing.assert_allclose(all_of_them[i], alone, rtol=1e-3, atol=1e-3)


# ------------------------------------------------------------------------------------------------


def test_one_channel_is_one_product():
    images, kernel = IMAGES[..., :1], RNG.normal(size=(3, 3, 1, 5)).astype(np.float32)
    same(convolved, images, kernel, slow="conv_general_dilated")
    assert "dot_general" in str(jax.make_jaxpr(in_fast_forms(convolved))(images, kernel))


def test_what_has_no_fast_form_stays_as_it_is():
    def in_many_groups(images, kernel):
        return lax.conv_general_dilated(
            images, kernel, (1, 1), "SAME", dimension_numbers=NHWC, feature_group_count=64
        )

    def dilated(images):
        ones = (1, 1, 1, 1)
        return lax.reduce_window(
            images, -jnp.inf, lax.max, (1, 2, 2, 1), ones, "VALID", window_dilation=(1, 2, 2, 1)
        )

    wide = RNG.normal(size=(1, 3, 3, 128)).astype(np.float32)
    kernel = RNG.normal(size=(3, 3, 2, 64)).astype(np.float32)
    ours, theirs = (f(wide, kernel) for f in (in_fast_forms(in_many_groups), in_many_groups))
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(in_fast_forms(dilated)(IMAGES), dilated(IMAGES))
    plain = lambda x: jnp.tanh(x).max(axis=-1)  # noqa: E731
    assert str(jax.make_jaxpr(in_fast_forms(plain))(IMAGES)) == str(jax.make_jaxpr(plain)(IMAGES))


@pytest.mark.parametrize("shape", [(40, 30, 3), (4, 30, 3), (40, 3, 30)])
def test_a_matrix_product_has_its_gradient(shape):
    rows, inputs, outputs = shape
    x, w = (RNG.normal(size=s).astype(np.float32) for s in ((rows, inputs), (inputs, outputs)))

    def layer(x, w):
        return jnp.maximum(x @ w, 0.0)

    ours, theirs = (
        jax.grad(lambda *a: jnp.sum(jnp.sin(f(*a))), (0, 1))(x, w)  # noqa: B023
        for f in (in_fast_forms(layer), layer)
    )
    np.testing.assert_allclose(in_fast_forms(layer)(x, w), layer(x, w), rtol=1e-6)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_products_that_ask_for_a_precision_or_have_other_axes_are_left_alone():
    x, w = np.ones((4, 3), np.float32), np.ones((3, 2), np.float32)
    exact = lambda x, w: jnp.matmul(x, w, precision="highest")  # noqa: E731
    for function, b in ((exact, w), (lambda x, w: jnp.einsum("ij,kj->ik", x, w), w.T)):
        assert "custom_vjp" not in str(jax.make_jaxpr(in_fast_forms(function))(x, b))
    assert "custom_vjp" in str(jax.make_jaxpr(in_fast_forms(jnp.matmul))(x, w))


def largest_of_neighbours(images):
    count, height, width, channels = images.shape
    parted = images.reshape(count, height // 2, 2, width // 2, 2, channels)
    return parted.max(axis=(2, 4))


def window_maxima(images):
    return lax.reduce_window(images, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


@pytest.mark.parametrize("pool", [largest_of_neighbours, window_maxima])
def test_of_equal_places_the_first_has_the_gradient_as_in_pytorch(pool):
    torch = pytest.importorskip("torch")
    images = RNG.integers(0, 3, size=(2, 6, 4, 5)).astype(np.float32)  # full of ties
    weights = RNG.normal(size=(2, 3, 2, 5)).astype(np.float32)
    ours = jax.grad(lambda x: jnp.sum(in_fast_forms(pool)(x) * weights))(images)
    theirs = torch.tensor(images).permute(0, 3, 1, 2).requires_grad_()
    pooled = torch.nn.functional.max_pool2d(theirs, 2)
    (pooled * torch.tensor(weights).permute(0, 3, 1, 2)).sum().backward()
    np.testing.assert_array_equal(ours, theirs.grad.permute(0, 2, 3, 1))


@pytest.mark.parametrize("padding", [0, 1])
def test_of_equal_places_under_overlapping_windows_too(padding):
    torch = pytest.importorskip("torch")
    images = RNG.integers(0, 3, size=(2, 7, 8, 5)).astype(np.float32)  # full of ties
    widths = ((0, 0), (padding, padding), (padding, padding), (0, 0))

    def pool(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), widths)

    theirs = torch.tensor(images).permute(0, 3, 1, 2).requires_grad_()
    pooled = torch.nn.functional.max_pool2d(theirs, 3, 2, padding)
    weights = np.arange(pooled.numel(), dtype=np.float32).reshape(pooled.shape)
    (pooled * torch.tensor(weights)).sum().backward()
    given = weights.transpose(0, 2, 3, 1)
    ours = jax.grad(lambda x: jnp.sum(in_fast_forms(pool)(x) * given))(images)
    np.testing.assert_array_equal(ours, theirs.grad.permute(0, 2, 3, 1))


def test_maxima_of_lines_and_solids():
    line, solid = (RNG.normal(size=s).astype(np.float32) for s in ((2, 9, 3), (2, 5, 4, 5, 2)))
    for images, axes in ((line, 1), (solid, 3)):

        def pool(x, axes=axes):
            window, strides = (1, *(3,) * axes, 1), (1, *(2,) * axes, 1)
            return lax.reduce_window(x, -jnp.inf, lax.max, window, strides, "SAME")

        same(pool, images, slow="reduce_window_max")


@pytest.mark.parametrize("pool", [largest_of_neighbours, window_maxima])
def test_nan_reaches_the_figures(pool):
    images = np.zeros((1, 4, 4, 1), np.float32)
    images[0, 1, 1] = np.nan
    pooled = in_fast_forms(pool)(images)
    assert np.isnan(pooled).sum() == 1
    assert np.isnan(in_fast_forms(lambda x: jnp.maximum(x, 0))(images)).sum() == 1


def test_relu_is_flat_at_0_as_in_pytorch():
    slope = jax.grad(lambda x: in_fast_forms(lambda x: jnp.maximum(x, 0))(x).sum())
    np.testing.assert_array_equal(slope(jnp.array([-1.0, 0.0, 2.0])), [0, 0, 1])


def test_calls_and_keys_and_trees_pass_through():
    @jax.jit
    def inner(images):
        window = (1, 2, 2, 1)
        return jax.nn.relu(lax.reduce_window(images, -jnp.inf, lax.max, window, window, "VALID"))

    def function(tree, key):
        kept = jax.random.bernoulli(key, 0.5, tree["x"].shape)
        return {"y": inner(jnp.where(kept, tree["x"], 0)), "none": None}

    arguments = {"x": IMAGES}, jax.random.key(3)
    np.testing.assert_array_equal(
        in_fast_forms(function)(*arguments)["y"], function(*arguments)["y"]
    )


def test_an_engine_trains_a_convolution_in_its_fast_form(linear, monkeypatch):
    def make_data(seed):
        inputs = RNG.normal(size=(60, 6, 6, 1)).astype(np.float32)
        part = Split(
            inputs, inputs[:, :2, :2, 0].sum((1, 2))[:, None] * np.ones((1, 2), np.float32)
        )
        return Data(part, part, part)

    def apply(params, inputs):
        kernel = params["w"].reshape(2, 2, 1, 2)
        sums = lax.conv_general_dilated(inputs, kernel, (1, 1), "VALID", dimension_numbers=NHWC)
        return sums[:, 0, 0] + params["b"]

    problem = replace(linear, apply=apply, make_data=make_data)
    data, rule = problem.make_data(0), methods.parse("adam").definition()
    who = Member("adam", "adam", rule.settings(lr=0.1), 8, 0)
    losses = []
    for forms in (with_fast_forms, lambda problem: problem):
        monkeypatch.setattr("descenso.engine.jax.engine.with_fast_forms", forms)
        *_earlier, [run] = JaxEngine(problem, data, 0).train([who], 5)
        losses.append(run.curve.validation_loss)
    np.testing.assert_allclose(*losses, rtol=1e-3)
    assert losses[0][-1] < 0.2 * losses[0][0]
