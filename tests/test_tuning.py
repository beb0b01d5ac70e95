"""Section 1.5: schedules, limits, prices and starts, each against a second formulation."""

import math

import numpy as np
import pytest
from helpers import normal, untouched

from mlcore import (
    SGD,
    Adam,
    AdamW,
    Affine,
    ReLU,
    Sequential,
    SoftmaxWithLoss,
    Tanh,
    add_l2,
    clip_gradients,
    constant,
    cosine,
    fit,
    initial_weights,
    numerical_gradient,
    step_decay,
)


def test_a_constant_rate_is_constant():
    assert {constant(0.3)(k) for k in range(10)} == {0.3}


def test_step_decay_multiplies_every_so_many_steps():
    rate, expected = 0.8, []
    for k in range(1, 25):
        expected.append(rate)
        rate *= 0.25 if k % 7 == 0 else 1
    assert [step_decay(0.8, 0.25, 7)(k) for k in range(24)] == pytest.approx(expected, rel=1e-14)


def test_cosine_warms_up_along_a_line_and_comes_down_to_zero():
    schedule = cosine(0.5, steps=110, warmup=10)
    rates = np.array([schedule(k) for k in range(130)])
    np.testing.assert_allclose(rates[:10], 0.05 * np.arange(1, 11), rtol=1e-14)
    np.testing.assert_allclose(rates[10:111], 0.5 * np.cos(np.arange(101) / 100 * np.pi / 2) ** 2, atol=1e-15)
    assert (rates[110:] == 0).all() and (np.diff(rates[10:111]) < 0).all()
    assert cosine(0.5, 10)(0) == 0.5


@pytest.mark.parametrize("shared", [False, True])
def test_clipping_is_by_the_norm_of_all_together(shared):
    grads = [normal(0, (3, 4)), normal(1, 5), np.zeros((0, 2))]
    grads += [grads[0]] * shared
    before = [g.copy() for g in grads]
    norm = math.sqrt(sum((g**2).sum() for g in before[:2]))
    assert clip_gradients(grads, 2 * norm) == pytest.approx(norm, rel=1e-14)
    for g, b in zip(grads, before, strict=True):
        np.testing.assert_array_equal(g, b)
    assert clip_gradients(grads, norm / 3) == pytest.approx(norm, rel=1e-14)
    for g, b in zip(grads, before, strict=True):
        np.testing.assert_allclose(g, b / 3, rtol=1e-14)
    assert clip_gradients(grads, norm) == pytest.approx(norm / 3, rel=1e-14)


def test_a_norm_does_not_overflow_or_vanish_on_the_way():
    for scale in (1e200, 1e-200, 1e-320):
        grads = [np.array([3.0, 4.0]) * scale]
        assert clip_gradients(grads, scale) == pytest.approx(5 * scale, rel=1e-2)
    assert clip_gradients([np.array([3e4, 4e4], np.float16)], 1.0) == pytest.approx(5e4, rel=1e-3)
    assert clip_gradients([np.zeros(3)], 1.0) == clip_gradients([], 1.0) == 0


def test_a_norm_beyond_the_largest_float_is_clipped_all_the_same():
    grads = [np.full((100, 100), 1e308), np.array([-1.7e308, 0.0])]
    assert clip_gradients(grads, 2.0) == math.inf
    assert math.sqrt(sum((g**2).sum() for g in grads)) == pytest.approx(2, rel=1e-12)
    assert grads[1][0] / grads[0][0, 0] == pytest.approx(-1.7, rel=1e-12) and grads[1][1] == 0


@pytest.mark.parametrize(("dtype", "size", "limit"), [(np.float16, 6e4, 0.9), (np.float32, 1e38, 3e-5)])
def test_a_factor_that_the_type_of_the_gradients_cannot_hold_is_not_rounded_to_it(dtype, size, limit):
    grads = [np.array([size, -size / 2], dtype)]
    before = grads[0].astype(float)
    clip_gradients(grads, limit)
    expected = before * limit / math.sqrt((before**2).sum())
    np.testing.assert_allclose(grads[0], expected, rtol=2 * np.finfo(dtype).eps)
    assert grads[0].dtype == dtype


def test_a_gradient_of_several_layers_is_scaled_once():
    g, expected = normal(0, (3, 4)), normal(0, (3, 4))
    norm = math.sqrt((expected**2).sum())
    assert clip_gradients([g, g[:], g], norm / 2) == pytest.approx(norm, rel=1e-14)
    np.testing.assert_allclose(g, expected / 2, rtol=1e-14)
    parts = normal(1, 8)
    clip_gradients([parts[:4], parts[4:]], 1.0)
    assert (parts**2).sum() == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("view", [lambda g: g[:1], lambda g: g.T, lambda g: g.reshape(-1), lambda g: g[1:, ::2]])
def test_gradients_that_overlap_are_not_clipped(view):
    g = normal(0, (3, 4))
    for grads in ([g, view(g)], [view(g), np.ones(2), g]):
        with untouched(grads), pytest.raises(ValueError, match=r"^clip_gradients: grads\[0\] and grads\[\d\] overlap"):
            clip_gradients(grads, 0.1)


@pytest.mark.parametrize("call", [lambda grads: clip_gradients(grads, 0.1), lambda grads: add_l2(grads, grads, 1)])
def test_a_gradient_that_is_read_only_is_refused_before_another_is_changed(call):
    grads = [normal(0, 3), normal(1, 3)]
    grads[1].flags.writeable = False
    with untouched(grads), pytest.raises(ValueError, match=r": grads\[1\] is read-only$"):
        call(grads)


@pytest.mark.parametrize("other", [lambda p: p, lambda p: p[:], lambda p: p[::-1]])
def test_a_parameter_that_is_a_gradient_gets_no_price(other):
    p, q = normal(0, 4), normal(1, 4)
    for params, grads, i, j in (([q, p], [normal(2, 4), other(p)], 1, 1), ([p, q], [normal(2, 4), other(p)], 0, 1)):
        message = rf"^add_l2: grads\[{j}\] overlaps params\[{i}\], which would change with it$"
        with untouched(params, grads), pytest.raises(ValueError, match=message):
            add_l2(params, grads, 0.1)


def test_parameters_of_a_price_may_be_lists_and_stand_twice():
    W, grads = [3.0, -4.0], [np.zeros(2), np.zeros(2)]
    assert add_l2((W, W), tuple(grads), 0.1) == pytest.approx(2.5)
    assert add_l2(iter([np.array(W)]), iter(grads[:1]), 0.1) == pytest.approx(1.25)
    np.testing.assert_allclose(grads, [[0.6, -0.8], [0.3, -0.4]])
    with untouched(grads), pytest.raises(TypeError, match=r"^add_l2: params\[1\]: expected real numbers"):
        add_l2([W, ["a", "b"]], grads, 0.1)


def test_the_price_of_l2_has_its_gradient():
    params = [normal(0, (3, 2)), normal(1, 2)]
    grads = [normal(2, (3, 2)), normal(3, 2)]
    before = [g.copy() for g in grads]
    price = add_l2(params, grads, 0.3)
    assert price == pytest.approx(0.15 * sum((p**2).sum() for p in params), rel=1e-14)
    for k, (g, b) in enumerate(zip(grads, before, strict=True)):

        def priced(p, k=k):
            return add_l2([*params[:k], p, *params[k + 1 :]], [np.zeros_like(q) for q in params], 0.3)

        np.testing.assert_allclose(g - b, numerical_gradient(priced, params[k]), rtol=1e-7)


def test_l2_is_weight_decay_for_sgd_and_not_for_adam():
    def after(rule, decay):
        p = np.array([2.0, -3.0])
        for _ in range(3):
            g = [np.array([0.5, 1.0])]
            if not decay:
                add_l2([p], g, 0.1)
            rule.update([p], g)
            if decay:
                p *= 1
        return p

    p = np.array([2.0, -3.0])
    for _ in range(3):
        p = (1 - 0.2 * 0.1) * p - 0.2 * np.array([0.5, 1.0])
    np.testing.assert_allclose(after(SGD(0.2), False), p, rtol=1e-14)
    assert abs(after(Adam(0.2), False) - after(AdamW(0.2, weight_decay=0.1), True)).max() > 0.01


def test_adamw_is_adam_and_a_decay_that_does_not_go_through_its_averages():
    params, twin = normal(0, (4, 3)), normal(0, (4, 3))
    rule, plain = AdamW(lr=0.1, weight_decay=0.3), Adam(lr=0.1)
    for seed in range(20):
        g = normal(seed, (4, 3))
        rule.update([params], [g])
        decayed = (1 - 0.03) * twin
        step = twin.copy()
        plain.update([step], [g])
        twin = decayed + (step - twin)
        np.testing.assert_allclose(params, twin, rtol=1e-12)
    np.testing.assert_array_equal(rule.m[0], plain.m[0])


@pytest.mark.parametrize(("kind", "variance"), [("xavier", 2 / 500), ("he", 2 / 300), ("lecun", 1 / 300)])
def test_initial_weights_have_their_variance(kind, variance):
    W = initial_weights(np.random.default_rng(1), 300, 200, kind)
    assert W.shape == (300, 200) and W.dtype == float
    assert W.var() == pytest.approx(variance, rel=0.02) and abs(W.mean()) < 4 * np.sqrt(variance / W.size)
    np.testing.assert_array_equal(W, initial_weights(1, 300, 200, kind))


@pytest.mark.parametrize(("kind", "layer"), [("he", ReLU), ("xavier", Tanh), ("lecun", Tanh)])
def test_through_ten_layers_the_right_start_keeps_the_size(kind, layer):
    x = normal(0, (200, 100))
    for seed in range(10):
        x = layer().forward(x @ initial_weights(seed, 100, 100, kind))
    assert 0.2 < np.sqrt((x**2).mean()) < 2


def test_fit_clips():
    norms = []

    class Watched(SGD):
        def update(self, params, grads):
            norms.append(math.sqrt(sum((g**2).sum() for g in grads)))
            super().update(params, grads)

    def net():
        return Sequential(Affine(normal(0, (2, 3)), normal(1, 3)), loss=SoftmaxWithLoss())

    x, t = 10 * normal(2, (6, 2)), [0, 1, 2, 0, 1, 2]
    fit(net(), Watched(0.1), x, t, epochs=2, batch_size=2)
    free, norms = norms, []
    fit(net(), Watched(0.1), x, t, epochs=2, batch_size=2, clip=0.5)
    assert max(free) > 1 and max(norms) <= 0.5 * (1 + 1e-12)


BAD = {
    "rate text": (lambda: constant("a"), TypeError, "^constant: lr must be a number"),
    "rate negative": (lambda: constant(-1), ValueError, "^constant: lr must be finite and at least 0; got -1"),
    "rate infinite": (lambda: cosine(math.inf, 10), ValueError, "^cosine: lr must be finite"),
    "factor": (lambda: step_decay(1, np.nan, 3), ValueError, "^step_decay: factor must be finite"),
    "every": (lambda: step_decay(1, 0.5, 0), ValueError, "^step_decay: every must be at least 1"),
    "warmup": (lambda: cosine(1, 10, 10), ValueError, "^cosine: warmup must be less than steps, 10; got 10"),
    "steps": (lambda: cosine(1, 1.5), TypeError, "^cosine: steps must be an integer"),
    "limit": (lambda: clip_gradients([], 0), ValueError, "^clip_gradients: limit must be above 0"),
    "a list": (lambda: clip_gradients([[1.0]], 1), TypeError, r"^clip_gradients: grads\[0\] must be a NumPy array"),
    "l2 lists": (lambda: add_l2([np.ones(1)], [], 1), ValueError, "^add_l2: got 1 parameters and 0 gradients"),
    "l2 shapes": (lambda: add_l2([np.ones(1)], [np.ones(2)], 1), ValueError, r"^add_l2: grads\[0\] has shape \(2,\)"),
    "l2 rate": (lambda: add_l2([], [], -1), ValueError, "^add_l2: rate must be finite and at least 0"),
    "kind": (
        lambda: initial_weights(0, 2, 3, "her"),
        ValueError,
        "^initial_weights: kind must be one of xavier, he, lecun;",
    ),
    "fan": (lambda: initial_weights(0, 0, 3, "he"), ValueError, "^initial_weights: fan_in must be at least 1"),
    "decay": (lambda: AdamW(weight_decay=-1), ValueError, "^AdamW: weight_decay must be finite and in"),
}


@pytest.mark.parametrize(("call", "exception", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gradients_that_are_not_finite_are_not_clipped(bad):
    grads = [np.array([1.0, 2.0]), np.array([bad])]
    with untouched(grads), pytest.raises(ValueError, match="^clip_gradients: the gradients must be finite"):
        clip_gradients(grads, 1.0)


def test_large_negative_numbers_are_large():
    grads = [np.array([-3e200, 0.0]), np.array([-4e200])]
    assert clip_gradients(grads, 5.0) == pytest.approx(5e200)
    np.testing.assert_allclose(np.concatenate(grads), [-3, 0, -4])


def test_a_cosine_without_warm_up_begins_at_once():
    assert [cosine(1.0, 4)(k) for k in range(4)] == [cosine(1.0, 4, warmup=0)(k) for k in range(4)]
    assert cosine(1.0, 4)(2) == pytest.approx(0.5)
