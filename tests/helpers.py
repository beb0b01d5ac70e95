"""What several test files use."""

import contextlib
import math
import os
import pickle
import shutil

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from mlcore import gradient_check

# Some tests in a browser try a part in the gate, so that it stays quick, and all of it where this is set: once a week.
IN_FULL = bool(os.environ.get("BOOK_IN_FULL"))

FLOATS = [np.float16, np.float32, np.float64]

# How well a right backward pass agrees with central differences: their error is about eps ** (2 / 3).
BANDS = {np.float32: 2e-2, np.float64: 1e-7}

seeds = st.integers(0, 10_000)
shapes = array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=3)
leading_axes = array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)


def normal(seed, shape, dtype=np.float64):
    """Random numbers of any shape, () included."""
    return np.asarray(np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def distributions(seed, shape, dtype=np.float64):
    """Random rows that sum to 1."""
    p = np.random.default_rng(seed).uniform(0.1, 1, shape)
    return (p / p.sum(axis=-1, keepdims=True)).astype(dtype)


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def inner(a, b):
    """The inner product, summed without rounding error, and a bound of its size."""
    assert np.shape(a) == np.shape(b)
    terms = (np.asarray(a) * np.asarray(b)).ravel()
    return math.fsum(terms), math.fsum(abs(terms))


def assert_gradients(layer, *inputs, dtype=np.float64, n_inputs=1, rng=0, band=None):
    """`gradient_check` covers `n_inputs` inputs and all parameters, and finds each of them right."""
    band = band or BANDS[dtype]
    errors = gradient_check(layer, *inputs, rng=rng)
    params = len(getattr(layer, "params", []))
    assert list(errors) == [f"inputs[{k}]" for k in range(n_inputs)] + [f"params[{k}]" for k in range(params)]
    assert all(error < band for error in errors.values()), errors


def forward_backward(layer, *inputs, upstream):
    """Outputs and gradients of one pass; `upstream` is one array for each output."""
    outputs = as_tuple(layer.forward(*inputs))
    return outputs, as_tuple(layer.backward(*upstream))


@contextlib.contextmanager
def untouched(*things):
    """Assert that nothing in `things` has changed by a single bit, also if an exception is on its way."""
    before = pickle.dumps(things)
    try:
        yield
    finally:
        assert pickle.dumps(things) == before


def distinct_memory(arrays):
    """Whether no two of the arrays overlap."""
    return not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


def unavailable(reason):
    """Skip a test that lacks something of the machine, or fail where nothing may be skipped: in a gate."""
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def browser_options():
    """The system's Chromium or Chrome, or else Playwright's own, and how to start it."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    return {"executable_path": program, "args": flags}


@contextlib.contextmanager
def chromium():
    """The browser in which a reader opens the book."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        unavailable("Playwright is not installed")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(**browser_options())
        except Error as error:
            unavailable(f"no browser: {error}")
        yield browser
        browser.close()
