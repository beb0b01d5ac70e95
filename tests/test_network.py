"""Section 1.4: a network and the loop that trains it, on both data sets."""

import sys
import types

import numpy as np
import pytest
from helpers import normal, untouched

from mlcore import (
    SGD,
    Adam,
    Affine,
    MatMul,
    Momentum,
    Node,
    Sequential,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    accuracy,
    fit,
    load_digits,
    load_spiral,
)

RIDGE = np.array([[-1.0], [-2.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1, 1])  # one number decides


def two_layer_net(seed, d, hidden, classes, scale=0.1):
    rng = np.random.default_rng(seed)
    return Sequential(
        Affine(scale * rng.standard_normal((d, hidden)), np.zeros(hidden)),
        Sigmoid(),
        Affine(scale * rng.standard_normal((hidden, classes)), np.zeros(classes)),
        loss=SoftmaxWithLoss(),
    )


def linear(W=0.0, classes=2):
    return Sequential(Affine(np.full((1, classes), W), np.zeros(classes)), loss=SoftmaxWithLoss())


# -- Sequential --


def test_predict_is_one_layer_after_the_other_and_forward_adds_the_loss():
    net, x, t = two_layer_net(0, 2, 4, 3), normal(1, (5, 2)), [0, 1, 2, 0, 1]
    first, activation, last = net.layers
    scores = last.forward(activation.forward(first.forward(x)))
    np.testing.assert_array_equal(net.predict(x), scores)
    assert net.scores is None
    assert net.forward(x, t) == SoftmaxWithLoss().forward(scores, t)
    np.testing.assert_array_equal(net.scores, scores)


def test_params_and_grads_are_the_layers_own():
    net = two_layer_net(0, 2, 4, 3)
    layers = [net.layers[0], net.layers[2]]
    assert all(a is b for a, b in zip(net.params, [p for layer in layers for p in layer.params], strict=True))
    assert all(a is b for a, b in zip(net.grads, [g for layer in layers for g in layer.grads], strict=True))
    before = list(net.grads)
    net.forward(normal(1, (5, 2)), [0, 1, 2, 0, 1])
    assert net.backward().shape == (5, 2)
    assert all(a is b and a.any() for a, b in zip(net.grads, before, strict=True))


@pytest.mark.parametrize("first", [Affine, MatMul, Sigmoid])
def test_gradients_of_the_parameters_do_not_need_that_of_the_input(first):
    start = {Affine: lambda: Affine(normal(0, (2, 2)), normal(1, 2)), MatMul: lambda: MatMul(normal(0, (2, 2)))}
    net = Sequential(start.get(first, first)(), Affine(normal(2, (2, 3)), normal(3, 3)), loss=SoftmaxWithLoss())
    grads = []
    for input_gradient in (True, False):
        net.forward(normal(1, (4, 2)), [0, 1, 2, 0])
        dx = net.backward(2.0, input_gradient=input_gradient)
        assert (dx is None) == (not input_gradient and first is not Sigmoid)
        grads.append([g.copy() for g in net.grads])
    for a, b in zip(*grads, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_first_layer_of_ones_own_may_have_the_usual_backward():
    class Watched(Affine):
        def backward(self, dout):
            return super().backward(dout)

    x, t = RIDGE
    net = Sequential(Watched(np.zeros((1, 2)), np.zeros(2)), loss=SoftmaxWithLoss())
    assert fit(net, SGD(1.0), x, t, epochs=10)["accuracy"][-1] == 1


@pytest.mark.parametrize("layers", [1, 2])
def test_backward_needs_a_forward_of_its_own_and_predict_is_none(layers):
    net = {1: Sequential(Affine(np.ones((2, 3)), np.ones(3)), loss=SoftmaxWithLoss()), 2: two_layer_net(0, 2, 4, 3)}[
        layers
    ]
    x, t = normal(1, (3, 2)), [0, 1, 2]
    steps = [lambda: None, lambda: (net.forward(x, t), net.backward()), lambda: (net.forward(x, t), net.predict(x))]
    for step in steps:
        step()
        with untouched(net), pytest.raises(RuntimeError, match=r"Sequential\.backward: each backward needs its own"):
            net.backward()


def test_without_a_loss_there_is_prediction_only():
    net = Sequential(Affine(np.ones((2, 3)), np.ones(3)))
    assert net.predict([[1.0, 2.0]]).tolist() == [[4, 4, 4]]
    with pytest.raises(RuntimeError, match=r"Sequential\.forward: there is no loss"):
        net.forward([[1.0, 2.0]], [0])
    with pytest.raises(RuntimeError, match=r"Sequential\.backward"):
        net.backward()
    assert net.forward([[1.0, 2.0]]).tolist() == [[4, 4, 4]]
    with pytest.raises(RuntimeError, match=r"Sequential\.backward"):
        net.backward()  # of what? Only a loss ends in one number
    assert net.backward([[1.0, 0.0, 1.0]]).tolist() == [[2, 2]]


def test_a_wrong_upstream_gradient_is_refused_and_the_pass_can_go_on():
    net = linear()
    net.forward(*RIDGE)
    with untouched(net), pytest.raises(ValueError, match=r"SoftmaxWithLoss\.backward: the upstream gradient"):
        net.backward([1.0, 2.0])
    net.backward()


AFFINE = Affine(np.ones((2, 2)), np.ones(2))


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda: Sequential(), ValueError, "Sequential: expected at least one layer"),
        (lambda: Sequential(loss=SoftmaxWithLoss()), ValueError, "at least one layer"),
        (
            lambda: Sequential(AFFINE, 3),
            TypeError,
            "Sequential: expected layers with forward, backward, params, grads; got 3",
        ),
        (lambda: Sequential(AFFINE, [Sigmoid()]), TypeError, "Sequential: expected layers"),
        (lambda: Sequential(AFFINE, Sigmoid), TypeError, "Sequential: expected layers .*Sigmoid"),
        (lambda: Sequential(AFFINE, loss=SoftmaxWithLoss), TypeError, "Sequential: expected layers .*SoftmaxWithLoss"),
        (lambda: Sequential(AFFINE, loss=np.sum), TypeError, "Sequential: expected layers"),
        (lambda: Sequential(AFFINE, Sigmoid(), AFFINE), ValueError, "Sequential: a layer stands twice"),
    ],
)
def test_what_is_no_network_is_refused(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


@pytest.mark.parametrize("x", [np.ones((4, 3)), np.ones(4), 1.0])
def test_an_input_that_does_not_fit_names_the_layer(x):
    net = two_layer_net(0, 2, 4, 3)
    with untouched(net.params, net.grads), pytest.raises(ValueError, match=r"Affine\.forward: x has shape"):
        net.forward(x, [0, 1, 2, 0])


# -- accuracy --


@pytest.mark.parametrize(
    ("scores", "t", "share"),
    [
        ([[2.0, 1.0], [0.0, 3.0]], [0, 0], 0.5),
        ([[2.0, 1.0], [0.0, 3.0]], [[1, 0], [0, 1]], 1.0),
        ([[2.0, 1.0], [0.0, 3.0]], [[0.4, 0.6], [0.1, 0.9]], 0.5),
        ([[[2.0, 1.0], [0.0, 3.0]]], [[0, 1]], 1.0),
        ([[[2.0, 1.0, 0.0]], [[0.0, 3.0, 0.0]]], [[0], [1]], 1.0),
        ([[[2.0, 1.0, 0.0]], [[0.0, 3.0, 0.0]]], [[[1, 0, 0]], [[0, 1, 0]]], 1.0),
        ([2.0, -1.0, 3.0, -4.0], [1, 1, 1, 0], 0.75),
        ([[2.0], [-1.0], [3.0], [-4.0]], [1, 1, 1, 0], 0.75),
        ([[2.0], [-1.0]], [[True], [False]], 1.0),
        ([2.0, -1.0], [0.9, 0.5], 1.0),
        ([0.0], [0], 1.0),
        (1.0, 1, 1.0),
    ],
)
def test_accuracy_takes_all_forms_of_labels(scores, t, share):
    assert accuracy(scores, t) == share and type(accuracy(scores, t)) is float


@pytest.mark.parametrize(
    ("scores", "t", "exception", "message"),
    [
        (np.ones((2, 3)), [0, 1, 2], ValueError, r"accuracy: .*\(2, 3\) .*\(3,\)"),
        (np.ones((2, 3)), [[0], [1]], ValueError, r"accuracy: .*\(2, 3\) .*\(2, 1\)"),
        (np.ones(2), [1], ValueError, "accuracy: "),
        (np.ones((2, 1)), [1], ValueError, "accuracy: "),
        (np.ones((0, 3)), np.ones(0, int), ValueError, r"accuracy: .*\(0, 3\)"),
        ([], [], ValueError, "accuracy: "),
        (["a"], [1], TypeError, "accuracy: expected real numbers"),
        ([1.0], [None], TypeError, "accuracy: expected real numbers"),
    ],
)
def test_accuracy_refuses_what_does_not_fit(scores, t, exception, message):
    with pytest.raises(exception, match=message):
        accuracy(scores, t)


# -- fit --


def test_fit_learns_the_spiral_that_a_linear_classifier_cannot():
    x, t = load_spiral()
    net = two_layer_net(0, 2, 32, 3, scale=1.0)
    history = fit(net, Adam(0.05), x, t, epochs=100)
    assert history["loss"][-1] < history["loss"][0] / 3
    assert accuracy(net.predict(x), t) > 0.9
    line = Sequential(Affine(np.zeros((2, 3)), np.zeros(3)), loss=SoftmaxWithLoss())
    fit(line, Adam(0.02), x, t, epochs=60)
    assert 0.4 < accuracy(line.predict(x), t) < 0.6
    assert 0.7 < line.forward(x, t) < 0.8


def test_fit_learns_the_digits():
    (x, t), test = load_digits()
    net = two_layer_net(0, 64, 50, 10)
    assert net.forward(x, t) == pytest.approx(np.log(10), abs=0.05)  # at chance
    history = fit(net, Adam(0.003), x, t, epochs=8, test=test)
    assert history["test_accuracy"][-1] > 0.9 and history["test_loss"][-1] < 0.4
    assert history["loss"] == sorted(history["loss"], reverse=True)


def test_a_few_examples_are_learnt_by_heart():
    (x, t), _ = load_digits()
    net = two_layer_net(0, 64, 50, 10)
    history = fit(net, Adam(0.01), x[:20], t[:20], epochs=80, batch_size=20)
    assert history["accuracy"][-1] == 1 and history["loss"][-1] < 0.02


def test_history_is_the_mean_over_the_rows_as_seen_while_training():
    """By hand: two batches of 3 and 2 rows in the order that the generator draws."""
    x, t = RIDGE
    net, twin = linear(), linear()
    history = fit(net, SGD(0.5), x, t, epochs=2, batch_size=3, rng=7, test=(x[:2], t[:2]))
    rng, optimizer, expected = np.random.default_rng(7), SGD(0.5), {key: [] for key in history}
    for _ in range(2):
        order = rng.permutation(5)
        loss = right = 0
        for rows in (order[:3], order[3:]):
            loss += twin.forward(x[rows], t[rows]) * len(rows)
            right += accuracy(twin.scores, t[rows]) * len(rows)
            twin.backward()
            optimizer.update(twin.params, twin.grads)
        expected["loss"].append(loss / 5)
        expected["accuracy"].append(right / 5)
        expected["test_loss"].append(twin.forward(x[:2], t[:2]))
        expected["test_accuracy"].append(accuracy(twin.scores, t[:2]))
    assert history == expected
    assert list(history) == ["loss", "accuracy", "test_loss", "test_accuracy"]
    for a, b in zip(net.params, twin.params, strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_test_data_the_history_has_two_keys_and_without_epochs_it_is_empty():
    x, t = RIDGE
    assert list(fit(linear(), SGD(), x, t, epochs=1)) == ["loss", "accuracy"]
    net = linear()
    with untouched(net.params):
        assert fit(net, SGD(), x, t, epochs=0, test=RIDGE) == {
            "loss": [],
            "accuracy": [],
            "test_loss": [],
            "test_accuracy": [],
        }


def test_every_row_is_seen_once_an_epoch_in_a_new_order():
    class Watched(Affine):
        def forward(self, x):
            seen.append(x.ravel().tolist())
            return super().forward(x)

    seen = []
    x, t = np.arange(10.0)[:, np.newaxis], np.zeros(10, int)
    net = Sequential(Watched(np.zeros((1, 2)), np.zeros(2)), loss=SoftmaxWithLoss())
    fit(net, SGD(), x, t, epochs=2, batch_size=4)
    del seen[0]  # the look at everything before the first step
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    epochs = sum(seen[:3], []), sum(seen[3:], [])
    assert sorted(epochs[0]) == sorted(epochs[1]) == x.ravel().tolist()
    assert epochs[0] != epochs[1] != sorted(epochs[1])


def test_the_seed_decides_everything():
    def run(rng):
        net = linear()
        return fit(net, Momentum(0.1), *RIDGE, epochs=3, batch_size=2, rng=rng), net.params

    for again in (0, np.int64(0), np.random.default_rng(0)):
        (history, params), (other_history, other_params) = run(0), run(again)
        assert history == other_history
        for a, b in zip(params, other_params, strict=True):
            np.testing.assert_array_equal(a, b)
    assert run(0)[0] != run(1)[0]


def test_fit_goes_on_from_where_it_was():
    whole, parts, optimizer, rng = linear(), linear(), Adam(), np.random.default_rng(3)
    history = fit(whole, Adam(), *RIDGE, epochs=4, batch_size=2, rng=3)
    pieces = [fit(parts, optimizer, *RIDGE, epochs=2, batch_size=2, rng=rng) for _ in range(2)]
    assert history["loss"] == pieces[0]["loss"] + pieces[1]["loss"]


@pytest.mark.parametrize("t", [RIDGE[1], RIDGE[1].astype(bool), RIDGE[1][:, np.newaxis], RIDGE[1].astype(float)])
def test_fit_trains_a_binary_classifier(t):
    net = Sequential(Affine(np.zeros((1, 1)), np.zeros(1)), loss=SigmoidWithLoss())
    assert fit(net, SGD(1.0), RIDGE[0], t, epochs=20)["accuracy"][-1] == 1


def test_fit_trains_with_one_hot_rows_and_leaves_the_data_alone():
    x, t = RIDGE
    one_hot = np.eye(2, dtype=int)[t]
    with untouched(x, one_hot):
        history = fit(linear(), SGD(1.0), x, one_hot, epochs=5, test=(x, one_hot))
    assert history == fit(linear(), SGD(1.0), x.tolist(), t.tolist(), epochs=5, test=(x, t))


def test_thirty_two_rows_are_a_batch_unless_said_otherwise():
    x, t = normal(0, (100, 2)), np.arange(100) % 2
    nets = [two_layer_net(0, 2, 3, 2) for _ in range(2)]
    fit(nets[0], SGD(1.0), x, t, epochs=2)
    fit(nets[1], SGD(1.0), x, t, epochs=2, batch_size=32)
    for a, b in zip(nets[0].params, nets[1].params, strict=True):
        np.testing.assert_array_equal(a, b)


def test_test_data_may_come_as_a_list():
    assert fit(linear(), SGD(0.1), *RIDGE, epochs=1, test=list(RIDGE))["test_accuracy"] == [1.0]


# -- when training diverges --


class Failing(SoftmaxWithLoss):
    """A loss that stops being a number at its n-th forward pass."""

    def __init__(self, n, value):
        super().__init__()
        self.left, self.value = n, value

    def forward(self, x, t):
        self.left -= 1
        return super().forward(x, t) if self.left else self.value


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("step", "epoch"), [(1, 1), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_a_loss_that_is_no_number_names_the_step_and_keeps_the_parameters_of_the_step_before(step, epoch, value):
    def network(loss):
        return Sequential(Affine(np.zeros((1, 2)), np.zeros(2)), loss=loss)

    net, twin, optimizer, good = network(Failing(step + 1, value)), network(Failing(step + 1, 0.0)), SGD(0.1), SGD(0.1)
    message = rf"^fit: training has diverged at step {step} \(epoch {epoch}\): the loss is {value}\. A smaller learning"
    with pytest.raises(RuntimeError, match=message) as e:
        fit(net, optimizer, *RIDGE, epochs=9, batch_size=2)
    assert isinstance(e.value.__cause__, ValueError)
    order = np.random.default_rng(0)
    batches = [rows[k : k + 2] for rows in (order.permutation(5) for _ in range(3)) for k in (0, 2, 4)]
    for rows in batches[: step - 1]:
        twin.forward(RIDGE[0][rows], RIDGE[1][rows])
        twin.backward()
        good.update(twin.params, twin.grads)
    for a, b in zip(net.params, twin.params, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("batch_size", "test", "where"),
    [
        (5, None, r"at step 2 \(epoch 2\)"),
        (1, None, r"at step 2 \(epoch 1\)"),
        (5, RIDGE, r"after step 1 \(epoch 1\), on the test data"),
    ],
)
def test_scores_that_overflow_are_refused_without_a_warning(batch_size, test, where):
    x, t = 1e200 * RIDGE[0], RIDGE[1]
    net, twin = linear(), linear()
    with pytest.raises(RuntimeError, match=rf"^fit: training has diverged {where}: SoftmaxWithLoss: logits must be"):
        fit(net, SGD(1e100), x, t, epochs=3, batch_size=batch_size, test=test and (x, t))
    rows = np.random.default_rng(0).permutation(5)[:batch_size]
    twin.forward(x[rows], t[rows])
    twin.backward()
    SGD(1e100).update(twin.params, twin.grads)
    for a, b in zip(net.params, twin.params, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.isfinite(a).all()


@pytest.mark.parametrize("spoil", [lambda x: x * 1e308 * 1e308, lambda x: x * np.inf * 0], ids=["over", "invalid"])
def test_a_layer_of_ones_own_may_overflow_without_a_warning(spoil):
    class Spoilt(Affine):
        def forward(self, x):
            return spoil(super().forward(x))

    net = Sequential(Spoilt(np.ones((1, 2)), np.ones(2)), loss=SoftmaxWithLoss())
    with pytest.raises(RuntimeError, match=r"diverged at step 1 \(epoch 1\): SoftmaxWithLoss: logits must be finite"):
        fit(net, SGD(1.0), *RIDGE, epochs=1)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("in_test", [False, True])
def test_data_that_are_not_finite_are_refused_before_anything_has_moved(bad, in_test):
    x, t = RIDGE
    wrong = np.where(x == 3, bad, x)
    net, optimizer = linear(1.0), Momentum()
    message = r"at step 1 \(epoch 1\): SoftmaxWithLoss: logits must be finite"
    with untouched(net.params, net.grads, optimizer), pytest.raises(RuntimeError, match=message):
        fit(net, optimizer, x if in_test else wrong, t, epochs=3, batch_size=1, test=(wrong, t) if in_test else None)


# -- what is refused, before anything has moved --

X, T = RIDGE
BAD = {
    "rows": ({"x": X[:4]}, ValueError, r"fit: x \(4, 1\) and t \(5,\) need the same number of rows"),
    "no rows": ({"x": X[:0], "t": T[:0]}, ValueError, r"fit: x \(0, 1\) and t \(0,\)"),
    "x a number": ({"x": 1.0}, ValueError, r"fit: x \(\) and t \(5,\)"),
    "t a number": ({"t": 1}, ValueError, r"fit: x \(5, 1\) and t \(\)"),
    "x text": ({"x": ["a"] * 5}, TypeError, "fit: x: expected real numbers"),
    "t text": ({"t": ["a"] * 5}, TypeError, "fit: t: expected real numbers"),
    "columns": ({"x": np.ones((5, 2))}, ValueError, r"Affine\.forward: x has shape \(5, 2\)"),
    "last label": ({"t": [0, 1, 0, 1, 2]}, ValueError, r"SoftmaxWithLoss: labels must lie in 0\.\.1; got 0\.\.2"),
    "float labels": ({"t": T * 1.0}, ValueError, "SoftmaxWithLoss: index labels must be integers"),
    "half an epoch": ({"epochs": 0.5}, TypeError, "fit: epochs must be an integer"),
    "epochs -1": ({"epochs": -1}, ValueError, "fit: epochs must be at least 0"),
    "batch_size 0": ({"batch_size": 0}, ValueError, "fit: batch_size must be at least 1"),
    "batch_size None": ({"batch_size": None}, TypeError, "fit: batch_size must be an integer"),
    "rng": ({"rng": -1}, ValueError, None),
    "rng text": ({"rng": "0"}, TypeError, None),
    "test columns": ({"test": (np.ones((5, 2)), T)}, ValueError, r"Affine\.forward"),
    "test labels": ({"test": (X, T + 1)}, ValueError, r"SoftmaxWithLoss: labels must lie in 0\.\.1; got 1\.\.2"),
    "test without labels": ({"test": (X,)}, TypeError, "fit: test must be a pair"),
    "no loss": ({"network": Sequential(AFFINE)}, RuntimeError, r"Sequential\.forward: there is no loss"),
}


@pytest.mark.parametrize(("change", "exception", "message"), BAD.values(), ids=BAD.keys())
def test_fit_refuses_what_does_not_fit_before_anything_has_moved(change, exception, message):
    optimizer, args = Momentum(), {"network": linear(), "x": X, "t": T, "epochs": 2, "batch_size": 1} | change
    network = args["network"]
    with untouched(network.params, network.grads, optimizer), pytest.raises(exception, match=message):
        fit(optimizer=optimizer, **args)


def test_an_optimizer_of_another_network_is_refused_before_anything_has_moved():
    optimizer, net = Momentum(), linear()
    fit(linear(classes=3), optimizer, *RIDGE, epochs=1)
    with (
        untouched(net.params, optimizer),
        pytest.raises(ValueError, match=r"Momentum\.update: this optimizer has been"),
    ):
        fit(net, optimizer, *RIDGE, epochs=1)


# -- the progress bar --


def test_without_tqdm_training_is_silent_unless_a_bar_was_asked_for(monkeypatch, capsys):
    for name in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, name, None)  # makes the import fail
    for progress in (None, False):
        assert len(fit(linear(), SGD(), *RIDGE, epochs=2, progress=progress)["loss"]) == 2
    net = linear()
    with untouched(net.params), pytest.raises(ImportError, match="fit: progress=True needs the package tqdm"):
        fit(net, SGD(), *RIDGE, epochs=2, progress=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("progress", [None, True, False])
def test_with_tqdm_the_bar_counts_epochs(monkeypatch, progress, terminal):
    calls, counted = [], []
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)

    def tqdm(epochs, **settings):
        calls.append(settings)
        for epoch in epochs:
            counted.append(epoch)
            yield epoch

    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=tqdm))
    history = fit(linear(), SGD(), *RIDGE, epochs=3, progress=progress)
    assert calls == [{"unit": "epoch", "delay": 2, "disable": not (terminal if progress is None else progress)}]
    assert counted == [0, 1, 2] and len(history["loss"]) == 3


def test_outside_a_terminal_the_real_bar_stays_away(capsys):
    pytest.importorskip("tqdm")
    fit(linear(), SGD(), *RIDGE, epochs=2)
    assert capsys.readouterr() == ("", "")


class Watching(Node):
    """A layer that changes nothing and notes the type that came."""

    seen = []

    def forward(self, x):
        Watching.seen.append(x.dtype)
        return x

    def backward(self, dout):
        return dout


@pytest.mark.parametrize("given, seen", [(int, np.float32), (np.float32, np.float32), (float, np.float64)])
def test_fit_takes_integers_for_the_type_of_the_weights_and_other_numbers_as_they_are(given, seen):
    Watching.seen.clear()
    net = Sequential(MatMul(np.ones((2, 3), np.float32)), Watching(), loss=SoftmaxWithLoss())
    fit(net, SGD(0.1), np.array([[1, 2], [3, 4]], given), [0, 1], epochs=1)
    assert set(Watching.seen) == {np.dtype(seen)}


def test_what_comes_back_is_the_callers_even_if_nothing_was_done_with_it():
    net, upstream = Sequential(Watching()), np.ones((2, 2))
    net.forward(np.zeros((2, 2)))
    dx = net.backward(upstream)
    dx += 1
    assert upstream.tolist() == [[1, 1], [1, 1]]
