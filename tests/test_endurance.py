"""Long runs, two runs at once, and runs that are stored and continued: always the same bits."""

import copy
import pickle
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from helpers import IN_FULL, normal

from mlcore import (
    SGD,
    AdaGrad,
    Adam,
    Affine,
    Momentum,
    Nesterov,
    RMSprop,
    Sequential,
    Sigmoid,
    SoftmaxWithLoss,
    fit,
)

RULES = [SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
MANY, LONG = 100_000, 1_000_000 if IN_FULL else 200_000


# -- long runs against a closed form --


def walk(optimizer, steps, gradient=None):
    """Where x = 1 ends on x^2 / 2, or under a constant gradient."""
    x = np.array([1.0])
    params, grads = [x], [x if gradient is None else np.array([gradient])]
    for _ in range(steps):
        optimizer.update(params, grads)
    return x[0]


def recurrence(lr, momentum, lead):
    """The matrix that takes (x, v) one step further on x^2 / 2; `lead` is 1 for Nesterov's rule."""
    v = np.array([-lr, momentum], np.longdouble)
    x = [1 - lr * lead, 0] + (momentum if lead else 1) * v
    return np.array([x, v])


# The rates are so small, or the wheel so free of friction, that there is something left after all these steps.
@pytest.mark.parametrize(
    ("optimizer", "matrix", "steps"),
    [
        (SGD(1e-5), np.array([[1 - np.longdouble(1e-5)]]), MANY),
        (Momentum(0.1 / LONG, 0.9), recurrence(0.1 / LONG, 0.9, 0), LONG),
        (Nesterov(1e-6, 0.9), recurrence(1e-6, 0.9, 1), MANY),
    ],
    ids=["SGD", "Momentum", "Nesterov"],
)
def test_a_long_run_on_a_parabola_ends_where_the_powers_of_its_matrix_say(optimizer, matrix, steps):
    expected, power = np.eye(len(matrix)), matrix
    for bit in bin(steps)[:1:-1]:  # matrix ** steps, by squaring
        expected, power = expected @ power if bit == "1" else expected, power @ power
    x = walk(copy.deepcopy(optimizer), steps)
    assert 0.2 < x < 0.5
    assert x == pytest.approx(float(expected[0, 0]), rel=1e-10)


def test_a_long_run_of_adagrad_moves_by_the_sum_of_inverse_roots():
    expected = 1 - 0.01 * (1 / np.sqrt(np.arange(1, MANY + 1, dtype=np.longdouble))).sum()
    assert walk(AdaGrad(0.01), MANY, 3.0) == pytest.approx(float(expected), rel=1e-8)  # eps is 3e-9 of the gradient


def test_a_long_run_of_rmsprop_moves_by_the_rate_once_its_average_has_settled():
    weights = np.sqrt(-np.expm1(np.arange(1, MANY + 1) * np.log(np.longdouble(0.99))))
    expected = 1 - 1e-5 * (1 / weights).sum()
    assert walk(RMSprop(1e-5), MANY, 3.0) == pytest.approx(float(expected), abs=1e-8)


def test_a_long_run_of_adam_moves_by_the_rate_in_every_step():
    optimizer = Adam(1e-5)
    assert walk(optimizer, MANY, 3.0) == pytest.approx(1 - 1e-5 * MANY / (1 + 1e-8 / 3), abs=1e-8)
    assert optimizer.iter == MANY


@each_rule
def test_a_long_run_neither_leaks_nor_does_more_at_its_end(rule):
    """The same calls in the last steps as in the first ones, and no memory that stays behind."""
    optimizer, params, grads = rule(), [normal(0, 50), normal(1, (3, 4))], [normal(2, 50), normal(3, (3, 4))]

    def calls_of(steps):
        count = 0

        def trace(frame, event, argument):
            nonlocal count
            count += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(trace)
        try:
            for _ in range(steps):
                optimizer.update(params, grads)
        finally:
            sys.setprofile(before)
        return count

    optimizer.update(params, grads)  # lays out
    first = calls_of(50)
    tracemalloc.start()
    try:
        for _ in range(1000):
            optimizer.update(params, grads)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(4000):
            optimizer.update(params, grads)
        assert tracemalloc.get_traced_memory()[0] - before < 4000  # less than a byte a step
    finally:
        tracemalloc.stop()
    assert calls_of(50) == first


# -- networks and optimizers in mid-run --


def task(seed=0):
    return normal(seed, (40, 3)), np.arange(40) % 4


def shared_network(seed=0):
    """Two layers with the same parameters between two of their own."""
    W, b = normal(seed + 2, (5, 5)), normal(seed + 3, 5)
    return Sequential(
        Affine(normal(seed, (3, 5)), normal(seed + 1, 5)),
        Sigmoid(),
        Affine(W, b),
        Sigmoid(),
        Affine(W, b),
        Affine(normal(seed + 4, (5, 4)), normal(seed + 5, 4)),
        loss=SoftmaxWithLoss(),
    )


def train(network, optimizer, epochs=2, seed=0):
    history = fit(network, optimizer, *task(seed), epochs=epochs, batch_size=7, rng=1)
    return [p.copy() for p in network.params], history


def assert_same_bits(run, other):
    for a, b in zip(run[0], other[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert run[1] == other[1]


COPIES = {
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {n}": lambda thing, n=n: pickle.loads(pickle.dumps(thing, n))
        for n in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}
each_copy = pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES.keys())


@each_rule
@each_copy
def test_a_copy_of_network_and_optimizer_in_mid_run_goes_on_bit_for_bit(rule, copied):
    network, optimizer = shared_network(), rule(lr=0.1)
    train(network, optimizer)
    twin, its_optimizer = copied((network, optimizer))
    assert all(a is b for a, b in zip(twin.layers[2].params, twin.layers[4].params, strict=True))
    assert all(a is b for a, b in zip(twin.params, [p for layer in twin.layers for p in layer.params], strict=True))
    assert not any(np.shares_memory(a, b) for a in network.params for b in twin.params)
    assert_same_bits(train(twin, its_optimizer), train(network, optimizer))


@each_copy
def test_a_copy_between_forward_and_backward_goes_back_the_same_way(copied):
    network = shared_network()
    network.forward(*task())
    twin = copied(network)
    np.testing.assert_array_equal(twin.backward(), network.backward())
    for a, b in zip(twin.grads, network.grads, strict=True):
        np.testing.assert_array_equal(a, b)


@each_rule
def test_two_threads_give_what_each_gives_alone(rule):
    alone = [train(shared_network(seed), rule(lr=0.1), 20, seed) for seed in (0, 10)]
    together, barrier = [None, None], threading.Barrier(2)

    def work(k, seed):
        network, optimizer = shared_network(seed), rule(lr=0.1)
        barrier.wait()
        together[k] = train(network, optimizer, 20, seed)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # take turns often
    try:
        threads = [threading.Thread(target=work, args=(k, 10 * k)) for k in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    for one, other in zip(alone, together, strict=True):
        assert_same_bits(one, other)
