"""Whatever is sent, the answer is a page or a line of words with a status, secure headers, and soon.

A quick form runs with the tests; ``DESCENSO_FUZZ=2000`` tries as many inputs of each kind.
"""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from descenso import paths
from descenso.errors import DescensoError
from descenso.web import create_app

TRIED = int(os.environ.get("DESCENSO_FUZZ", "40"))
quick = settings(
    max_examples=TRIED,
    deadline=None,
    derandomize=TRIED <= 100,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SOON = 12  # seconds: a formula is given up after ten
EXPECTED = {200, 400, 403, 404, 405, 411, 413, 414, 421, 503}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    app = create_app(str(tmp_path_factory.mktemp("store") / "s.db"), hosts=["testserver"])
    with TestClient(app) as opened:
        yield opened


def holds(answer, began):
    assert answer.status_code in EXPECTED, answer.text[:500]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert time.monotonic() - began < SOON
    if answer.headers["content-type"] == "application/json":
        given = json.loads(
            answer.text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")
        )
        assert answer.status_code == 200 or given["error"].strip()


numbers = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        ["", "-0", "1e309", "1e-320", "nan", "inf", "-inf", "0x10", "１２", "1_0", "+5", "9" * 400]
    ),
    st.text(max_size=12),
)
sensible = st.floats(1e-6, 100).map(lambda v: f"{v:.3g}")
names = st.sampled_from(
    ["lr", "beta", "beta1", "beta2", "eps", "eps_root", "dampening", "momentum", "centered",
     "weight_decay", "__class__", "constructor", ""]
)  # fmt: skip
methods = st.one_of(
    st.builds(
        lambda name, pairs, tail: f"{name}({','.join(f'{n}={v}' for n, v in pairs)}){tail}",
        st.sampled_from(["adam", "rmsprop", "momentum", "nesterov", "amsgrad", "adamw", "sgd", "batch",
                         "gradient_descent", "minibatch", "__init__"]),
        st.lists(st.tuples(names, st.one_of(sensible, numbers, st.just("true"))), max_size=4),
        st.sampled_from(["", "~cosine", "~warmup", "~exponential", "~step_decay", "~x", "@8", "@1e9"]),
    ),
    st.text(max_size=60),
)  # fmt: skip
surfaces = st.one_of(
    st.sampled_from(paths.names()),
    st.builds(lambda v: f"ravine(condition={v})", st.one_of(sensible, numbers)),
    st.text(max_size=30),
)
leaves = st.one_of(
    st.sampled_from(["x", "y", "pi", "e", "0", "1e308", "1e-308", "2", "0.5", "-1"]), sensible
)
formulas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, op, b: f"({a}{op}{b})", inner, st.sampled_from("+-*/^"), inner),
        st.builds(
            lambda a, power: f"({a})**{power}",
            inner,
            st.sampled_from(["64", "-64", "0.5", "x", "65", "-3"]),
        ),
        st.builds(lambda f, a: f"{f}({a})", st.sampled_from(list(paths.FUNCTIONS)), inner),
    ),
    max_leaves=14,
)  # fmt: skip
broken = st.one_of(
    formulas.flatmap(lambda text: st.integers(0, len(text)).map(lambda at: text[:at])),
    st.text("xy+-*/^().0123456789e sincoexplogqrtabh,=[]{}'\"_:;\\\n\t", max_size=300),
    st.text(max_size=80),
)
windows = st.one_of(
    st.lists(numbers, max_size=5).map(",".join),
    st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.floats(-1e9, 1e9), st.floats(0, 1e9)).map(
        lambda w: f"{w[0]},{w[0] + w[1]},{w[2]},{w[2] + w[3]}"
    ),
)


@given(st.one_of(formulas, broken))
@quick
def test_any_formula_is_a_surface_or_an_error_in_words(text):
    began = time.monotonic()
    surface = refusal = None
    try:
        surface = paths.from_formula(text)
    except DescensoError as error:
        refusal = str(error)
    if surface is None:
        assert len(refusal) > 10
    else:
        grid = np.stack(np.meshgrid(*[np.linspace(-5, 5, 21)] * 2))
        assert surface.function(grid).shape == (21, 21)
        assert surface.gradient(grid).shape == (2, 21, 21)
        assert surface.formula.startswith("f(x, y) = ")
        assert surface.formula.count("{") == surface.formula.count("}")
    assert time.monotonic() - began < 5


@given(formulas)
@quick
def test_the_slope_of_any_formula_is_that_of_its_values(text):
    try:
        surface = paths.from_formula(text)
    except DescensoError:
        return
    h, point = 1e-6, np.array([0.731, 1.317])
    wide = [[surface.function(point + k * h * d) for k in (-2, -1, 1, 2)] for d in np.eye(2)]
    if not np.isfinite(wide).all() or np.abs(wide).max() > 1e6:
        return
    # Two estimates agree where the function is smooth on that scale; only there can it be judged.
    near = np.array([(w[2] - w[1]) / (2 * h) for w in wide])
    far = np.array([(w[3] - w[0]) / (4 * h) for w in wide])
    noise = 1e-9 + 1e-7 * np.abs(wide).max()
    slope = surface.gradient(point)
    for i in range(2):
        # x + 1e308 is 1e308: the difference of its values is 0, its slope is not.
        smooth = near[i] != 0 and abs(near[i] - far[i]) < 1e-4 * abs(near[i]) + noise
        if smooth and np.isfinite(slope[i]):
            assert slope[i] == pytest.approx(near[i], rel=1e-2, abs=1e3 * noise)


@given(
    surface=surfaces,
    written=st.lists(methods, max_size=3),
    query=st.dictionaries(
        st.sampled_from(["x", "y", "steps", "seeds", "noise", "parts", "lang", "window"]),
        st.one_of(numbers, sensible, st.integers(1, 40).map(str)),
        max_size=5,
    ),
)
@quick
def test_any_question_for_paths_is_answered(client, surface, written, query):
    began = time.monotonic()
    answer = client.get("/api/paths", params={"surface": surface, **query, "m": written})
    holds(answer, began)


@given(
    text=st.one_of(st.none(), formulas, broken), surface=surfaces,
    window=st.one_of(st.none(), windows),
)  # fmt: skip
@quick
def test_any_question_for_a_surface_is_answered(client, text, surface, window):
    began = time.monotonic()
    query = {"surface": surface, "function": text, "window": window}
    answer = client.get("/api/surface", params={k: v for k, v in query.items() if v is not None})
    holds(answer, began)


@given(text=formulas, method=methods, steps=st.integers(1, 60))
@quick
def test_any_formula_is_descended_or_refused(client, text, method, steps):
    began = time.monotonic()
    query = {"function": text, "steps": steps, "m": method, "parts": 0}
    holds(client.get("/api/paths", params=query), began)


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=8,
)
bodies = st.one_of(
    st.binary(max_size=200),
    anything.map(lambda v: json.dumps(v).encode()),
    st.integers(1, 9_900).map(lambda n: b"[" * n + b"]" * n),
    st.integers(1, 4_000).map(lambda n: b'{"a":' * n),
    # Nothing that could be started: each of these has something that is refused.
    st.builds(
        lambda fields: json.dumps({"problem": "line", "methods": "adam", **fields, "seeds": "x"}).encode(),
        st.dictionaries(
            st.sampled_from(["methods", "epochs", "trials", "__proto__", "store"]), anything, max_size=4
        ),
    ),
)  # fmt: skip


@given(bodies)
@quick
def test_any_body_is_refused_in_words_and_starts_nothing(client, body):
    began = time.monotonic()
    answer = client.post("/api/jobs/start", content=body, headers={"x-descenso": "1"})
    assert answer.status_code in (400, 404)
    holds(answer, began)
    assert client.get("/api/jobs").json() == []


@given(
    path=st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                ["api", "studies", "static", "jobs", "..", "%2e%2e", "%00", "%ff", "1", "cancel", "",
                 "report.html", "study.json", "playground.js", "latest", "'--", "x" * 300]
            ),
            max_size=6,
        ).map("/".join),
    ),
    verb=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    headers=st.dictionaries(
        st.sampled_from(["origin", "sec-fetch-site", "accept-language", "x-descenso", "range",
                         "if-none-match", "if-modified-since", "accept-encoding", "content-type"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30), max_size=4,
    ),
    query=st.text(
        st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=60
    ),
)  # fmt: skip
@quick
def test_any_address_is_answered(client, path, verb, headers, query):
    began = time.monotonic()
    try:
        request = client.build_request(verb, f"/{path.lstrip('/')}?{query}", headers=headers)
    except Exception:  # the client cannot even write that address
        return
    answer = client.send(request)
    if answer.status_code in (206, 304, 307, 416):
        assert "content-security-policy" in answer.headers
    elif verb == "HEAD":
        assert answer.status_code in EXPECTED
    else:
        holds(answer, began)
