"""Section 1.3.5: what all nodes, layers and losses promise, with layers of somebody's own beside those of the book."""

import copy
import gc
import inspect
import os
import pickle
import re
import signal
import sys
import threading
import time
import tracemalloc
import warnings

import numpy as np
import pytest
from helpers import normal, untouched

import mlcore
from mlcore import (
    SGD,
    Add,
    Affine,
    Loss,
    MatMul,
    Momentum,
    Multiply,
    Node,
    ReLU,
    Repeat,
    Sequential,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    Variable,
    accuracy,
    apply,
    contract,
    fit,
    gradient_check,
    load_spiral,
    sigmoid,
    softmax,
)


def affine(seed=0, d=2, h=3):
    return Affine(normal(seed, (d, h)), normal(seed + 1, h))


def network(seed=0):
    return Sequential(affine(seed, 2, 4), Sigmoid(), affine(seed + 2, 4, 3), loss=SoftmaxWithLoss())


X, T = normal(8, (5, 2)), np.array([0, 1, 2, 0, 1])


class Own(Node):
    """y = s x, as a reader would write it."""

    def __init__(self, s):
        self.params = [s]

    def forward(self, x):
        self.x = x
        return self.params[0] * x

    def backward(self, dy):
        self.grads[0][...] = (dy * self.x).sum(axis=0)
        return self.params[0] * dy


# -- a class is its mathematics --


@pytest.mark.parametrize(
    ("kind", "most"),
    [(Add, 9), (Multiply, 9), (Repeat, 9), (Sigmoid, 9), (ReLU, 9), (MatMul, 12), (Affine, 14), (SoftmaxWithLoss, 14)],
)
def test_a_class_as_printed_is_short_and_without_a_check(kind, most):
    source = re.sub(r'r?""".*?"""', "", inspect.getsource(kind), flags=re.DOTALL)
    assert len([line for line in source.splitlines() if line.strip()]) <= most
    assert not any(word in source for word in ("raise", "copy", "@", "None", "check")) or (
        kind in (MatMul, Affine) and "raise" not in source.partition("def __init__")[2]
    )


# -- a layer of one's own has the contract by inheriting --


def test_a_layer_of_ones_own_copies_its_input_checks_its_upstream_and_goes_back_once():
    layer, x = Own(np.array([2.0, 3.0])), np.ones((2, 2))
    y = layer.forward(x)
    x[...] = 7
    y[...] = 7
    with pytest.raises(ValueError, match=r"^Own\.backward: the upstream gradient has shape \(2,\), expected \(2, 2\)"):
        layer.backward([1.0, 1.0])
    assert layer.backward(np.ones((2, 2))).tolist() == [[2, 3], [2, 3]] and layer.grads[0].tolist() == [2, 2]
    with pytest.raises(RuntimeError, match=r"^Own\.backward: there is no forward pass to go back through"):
        layer.backward(np.ones((2, 2)))


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda: Own([1.0]), TypeError, r"^Own: params\[0\] must be a NumPy array; got list"),
        (lambda: Own(np.array([1])), TypeError, r"^Own: params\[0\] must be floating"),
        (lambda: Own(np.ones(2)).forward(["a"]), TypeError, "^Own: expected real numbers"),
        (lambda: Own(np.ones(2)).forward(np.ones((4, 3))), ValueError, r"^Own\.forward: shapes \(4, 3\) do not fit: "),
        (lambda: Own(np.ones(2)).backward([1.0]), RuntimeError, "^Own.backward: there is no forward pass"),
    ],
)
def test_what_a_layer_of_ones_own_refuses(call, exception, message):
    with pytest.raises(exception, match=message):
        call()


def test_declared_parameters_are_checked_against_each_other_and_the_input_against_them():
    class Scaled(Node, W="D H", s="H"):
        def __init__(self, W, s):
            self.params = [W, s]

        def forward(self, x):
            return x.sum() * self.params[0].sum() * self.params[1]

        def backward(self, dy):
            return 0

    with pytest.raises(ValueError, match=r"^Scaled: s has shape \(2,\), expected \(3,\) for W \(2, 3\)"):
        Scaled(np.ones((2, 3)), np.ones(2))
    with pytest.raises(
        ValueError, match=r"^Scaled\.forward: x has shape \(4, 3\), expected \(\.\.\., 2\) for W \(2, 3\)"
    ):
        Scaled(np.ones((2, 3)), np.ones(3)).forward(np.ones((4, 3)))  # NumPy itself would accept it


def test_arguments_may_be_named():
    layer = Own(np.array([2.0]))
    assert layer.forward(x=[3.0]) == 6 and layer.backward(dy=[1.0]) == 2
    loss = SigmoidWithLoss()
    assert loss.forward(x=[0.0], t=[1]) == pytest.approx(np.log(2)) and loss.backward(dout=2.0) == -1
    assert sigmoid(x=0.0) == 0.5
    with pytest.raises(TypeError, match="argument"):
        layer.forward(z=[3.0])


def test_what_a_layer_had_before_it_may_change_for_good_and_what_is_new_belongs_to_the_pass():
    class Counts(Own):
        calls = 0

        def __init__(self, s):
            super().__init__(s)
            self.forwards = self.backwards = 0

        def forward(self, x):
            self.forwards += 1
            return super().forward(x)

        def backward(self, dy):
            self.backwards += 1
            return super().backward(dy)

    layer = Counts(np.ones(2))
    net = Sequential(layer, loss=SoftmaxWithLoss())
    for k in range(1, 4):
        net.forward(X, T % 2)
        net.backward()
        assert (layer.forwards, layer.backwards) == (k, k)
    assert layer.memory == {}
    layer.forward(X)
    np.testing.assert_array_equal(layer.x, X)
    assert list(layer.memory) == ["x"] and layer.memory["x"] is layer.x
    layer.backward(X)
    assert layer.memory == {}
    with pytest.raises(AttributeError, match="'Counts' object has no attribute 'x'"):
        layer.x  # noqa: B018


@pytest.mark.parametrize("write", ["in place", "entry", "list", "+=", "add"])
def test_however_a_layer_of_ones_own_hands_over_its_gradients_it_learns(write):
    class Writes(Own):
        def backward(self, dy):
            d = (dy * self.x).sum(axis=0)
            if write == "in place":
                self.grads[0][...] = d
            elif write == "entry":
                self.grads[0] = d
            elif write == "list":
                self.grads = [d]
            elif write == "+=":
                self.grads[0] += d
            else:
                np.add(self.grads[0], d, out=self.grads[0])
            return self.params[0] * dy

    nets = [Sequential(kind(np.ones(2)), affine(), loss=SoftmaxWithLoss()) for kind in (Own, Writes)]
    for net in nets:
        fit(net, SGD(0.5), X, T, epochs=3)
    for a, b in zip(nets[0].params, nets[1].params, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_loss_of_ones_own_trains_and_has_no_accuracy():
    class SquaredError(Loss):
        def forward(self, x, t):
            self.y = x - t
            return (self.y**2).mean() / 2

        def backward(self, dout=1):
            return dout * self.y / self.y.size

    x = normal(0, (20, 2))
    t = x @ [[2.0], [-1.0]] + 0.5
    net = Sequential(affine(0, 2, 1), loss=SquaredError())
    history = fit(net, SGD(0.5), x, t, epochs=60, test=(x, t))
    assert list(history) == ["loss", "test_loss"] and history["test_loss"][-1] < 1e-6
    np.testing.assert_allclose(net.params[0], [[2], [-1]], atol=1e-2)
    assert all(e < 1e-7 for e in gradient_check(SquaredError(), x, x[::-1]).values())


# -- each backward belongs to its forward --


def gradients(net, x=X, t=T):
    """The right answer, from a copy that nobody else has seen."""
    net = copy.deepcopy(net)
    net.forward(x, t)
    return [net.backward(), *(g.copy() for g in net.grads)]


def spoil_shared():
    layer = affine()
    a, b = (Sequential(layer, loss=SoftmaxWithLoss()) for _ in range(2))
    a.forward(X, T)
    b.forward(2 * X, T)
    return a


def spoil_layer():
    net = network()
    net.forward(X, T)
    net.layers[0].forward(2 * X)
    return net


def spoil_loss():
    net = network()
    net.forward(X, T)
    net.loss.forward(normal(0, (5, 3)), T)
    return net


def spoil_copy():
    net = network()
    twin = copy.copy(net)
    net.forward(X, T)
    twin.forward(2 * X, T)
    return net


def spoil_backward():
    net = network()
    net.forward(X, T)
    net.loss.backward()
    return net


@pytest.mark.parametrize("spoil", [spoil_shared, spoil_layer, spoil_loss, spoil_copy, spoil_backward])
def test_a_pass_that_somebody_has_run_into_is_refused_before_anything_is_written(spoil):
    net = spoil()
    with (
        untouched(net.grads),
        pytest.raises(RuntimeError, match=r"^Sequential\.backward: \w+ has run forward or backward"),
    ):
        net.backward()
    expected = gradients(net)
    net.forward(X, T)
    for a, b in zip([net.backward(), *net.grads], expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_forwards_and_one_backward_go_back_through_the_second():
    layer = affine()
    layer.forward(2 * X)
    layer.forward(X)
    layer.backward(np.ones((5, 3)))
    np.testing.assert_array_equal(layer.grads[0], X.T @ np.ones((5, 3)))


def test_layers_of_a_network_may_also_be_gone_back_through_one_by_one():
    net = network()
    expected = gradients(net)
    net.forward(X, T)
    dout = net.loss.backward()
    for layer in reversed(net.layers):
        dout = layer.backward(dout)
    for a, b in zip([dout, *net.grads], expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_predict_does_not_reach_a_pass_of_the_layers_in_another_network():
    net = network()
    other = Sequential(*net.layers)
    net.forward(X, T)
    other.predict(2 * X)
    for a, b in zip([net.backward(), *net.grads], gradients(net), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_shallow_copy_shares_the_parameters_and_has_no_pass():
    layer = affine()
    layer.forward(X)
    twin = copy.copy(layer)
    assert twin.params[0] is layer.params[0]
    with pytest.raises(RuntimeError, match="no forward pass"):
        twin.backward(np.ones((5, 3)))
    layer.backward(np.ones((5, 3)))


def test_a_copied_pass_belongs_to_the_copied_layer():
    for twin_of in (copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))):
        layer = affine()
        layer.forward(X)
        twin = twin_of(layer)
        for each in (twin, layer):
            each.backward(np.ones((5, 3)))
            with pytest.raises(RuntimeError, match="no forward pass"):
                each.backward(np.ones((5, 3)))


def test_what_was_read_only_and_is_made_writable_again_does_not_reach_the_pass():
    x, t = X.copy(), np.array([[1.0, 0, 0]] * 5)
    x.flags.writeable = t.flags.writeable = False
    net = network()
    expected = gradients(net, x, t)
    net.forward(x, t)
    for array in (x, t):
        array.flags.writeable = True
        array[...] = 0
    for a, b in zip([net.backward(), *net.grads], expected, strict=True):
        np.testing.assert_array_equal(a, b)
    a, b = Variable(2.0), Variable(3.0)
    y = a * b
    for v in (a, b, y):
        v.value.flags.writeable = True
        v.value[...] = 7
    y.backward()
    assert (a.grad, b.grad) == (3, 2)


def test_scores_and_outputs_that_are_remembered_cannot_be_written_into():
    net = Sequential(affine(), Sigmoid(), loss=SigmoidWithLoss())
    net.forward(X, np.ones((5, 3)))
    for array in (net.scores, net.layers[1].forward(X)):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            array.flags.writeable = True


def test_one_array_returned_twice_is_handed_out_as_two():
    class Both(Node):
        def forward(self, x, y):
            return x + y

        def backward(self, dz):
            return dz, dz

    class Plain:
        forward, backward = staticmethod(lambda x, y: x + y), staticmethod(lambda dz: (dz, dz))

    class Doubled(Both):
        def backward(self, dz):
            dx = 2 * dz  # an array of its own, not the upstream gradient, of which a copy is handed out anyway
            return dx, dx

    for kind, right in ((Both, 3), (Doubled, 6)):
        node = kind()
        node.forward([1.0], [2.0])
        dx, dy = node.backward([3.0])
        dx += 10
        assert dy == right
    for kind in (Both, Plain):
        x, y = Variable([1.0]), Variable([2.0])
        apply(kind(), x, y).backward([1.0])
        x.grad += 10
        assert y.grad == 1


# -- threads --


def in_threads(work, n=2):
    errors = []

    def guarded(k):
        try:
            work(k)
        except Exception as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=guarded, args=(k,)) for k in range(n)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    return errors


def test_a_pass_belongs_to_its_thread():
    net = network()
    net.forward(X, T)
    (error,) = in_threads(lambda k: net.backward(), 1)
    assert type(error) is RuntimeError and "ran in another thread; give each thread a copy" in str(error)
    layer = affine()
    layer.forward(X)
    (error,) = in_threads(lambda k: layer.backward(np.ones((5, 3))), 1)
    assert "Affine.backward: the last forward pass ran in another thread" in str(error)


def test_two_threads_that_share_a_network_get_the_right_gradient_of_their_input_or_an_error():
    net, right, refused = network(), [0, 0], [0, 0]
    inputs = [normal(k, (5, 2)) for k in range(2)]
    expected = [gradients(net, x)[0] for x in inputs]

    def work(k):
        for _ in range(1500):
            try:
                net.forward(inputs[k], T)
                dx = net.backward()
            except RuntimeError:
                refused[k] += 1
            else:
                np.testing.assert_array_equal(dx, expected[k])
                right[k] += 1

    assert in_threads(work) == [] and sum(right) + sum(refused) == 3000 and sum(right) > 100


def test_threads_may_predict_with_one_network_at_the_same_time():
    net = network()
    inputs = [normal(k, (5, 2)) for k in range(4)]
    expected = [net.predict(x) for x in inputs]

    def work(k):
        for _ in range(500):
            np.testing.assert_array_equal(net.predict(inputs[k]), expected[k])

    assert in_threads(work, 4) == []


# -- networks --


def test_a_network_may_stand_in_a_network():
    layers = [affine(0, 2, 4), Sigmoid(), affine(2, 4, 3)]
    flat = Sequential(*copy.deepcopy(layers), loss=SoftmaxWithLoss())
    nested = Sequential(Sequential(Sequential(layers[0]), layers[1]), layers[2], loss=SoftmaxWithLoss())
    np.testing.assert_array_equal(nested.predict(X), flat.predict(X))
    for net in (flat, nested):
        fit(net, Momentum(0.1), X, T, epochs=3, batch_size=2)
    for a, b in zip(flat.params, nested.params, strict=True):
        np.testing.assert_array_equal(a, b)
    assert all(error < 1e-7 for error in gradient_check(nested, X, T).values())
    inner = Sequential(affine(0, 2, 4), Sigmoid())
    with pytest.raises(ValueError, match="a layer stands twice"):
        Sequential(inner, inner.layers[1])
    with pytest.raises(ValueError, match="a network within a network has no loss of its own"):
        Sequential(network())


def test_layers_that_do_not_fit_each_other_are_named():
    net = Sequential(affine(0, 2, 4), Affine(np.ones((3, 2)), np.zeros(2)), loss=SoftmaxWithLoss())
    with pytest.raises(
        ValueError, match=r"^Affine\.forward: x has shape \(5, 4\), expected \(\.\.\., 3\) for W \(3, 2\)"
    ):
        net.forward(X, T)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Own(np.ones(2)).forward()


def test_a_network_without_a_loss_is_a_layer():
    net = Sequential(affine(), Sigmoid())
    y = net.forward(X)
    np.testing.assert_array_equal(y, net.layers[1].forward(net.layers[0].forward(X)))
    assert all(error < 1e-7 for error in gradient_check(net, X).values())
    net.forward(X)
    with pytest.raises(
        ValueError, match=r"^Sequential\.backward: the upstream gradient has shape \(\), expected \(5, 3\)"
    ):
        net.backward(1.0)


def test_a_replaced_parameter_is_trained_and_replacing_in_the_networks_list_is_refused():
    net, twin = network(), network()
    W = normal(9, (2, 4))
    net.layers[0].params[0] = W
    twin.layers[0].params[0][...] = W
    for each in (net, twin):
        fit(each, SGD(0.5), X, T, epochs=2)
    np.testing.assert_array_equal(net.layers[0].params[0], twin.layers[0].params[0])
    assert net.params[0] is W
    with pytest.raises(TypeError, match="write into an array"):
        net.params[0] = net.params[0] - 0.1
    with pytest.raises(TypeError, match="params are the layers' own arrays"):
        net.params = [p.copy() for p in net.params]
    before = W.copy()
    net.params[0] -= 0.5
    np.testing.assert_array_equal(W, before - 0.5)


def test_a_subclass_of_affine_is_spared_the_gradient_of_its_input_too():
    class Named(Affine):
        pass

    class Watched(Affine):
        def backward(self, dout):
            seen.append(dout.shape)
            return super().backward(dout)

    seen = []
    for kind, spared in ((Affine, True), (Named, True), (Watched, False)):
        net = Sequential(kind(normal(0, (2, 4)), normal(1, 4)), affine(2, 4, 3), loss=SoftmaxWithLoss())
        expected = gradients(net)
        net.forward(X, T)
        assert (net.backward(input_gradient=False) is None) == spared
        for a, b in zip(net.grads, expected[1:], strict=True):
            np.testing.assert_array_equal(a, b)
        assert net.params[0].shape == (2, 4)
    assert len(seen) == 2


def test_an_overflow_can_be_hunted():
    net = Sequential(Affine(np.full((1, 2), 1e308), np.zeros(2)), loss=SoftmaxWithLoss())
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        net.predict([[10.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isinf(net.predict([[10.0]])).all()


# -- half precision --


def test_half_precision_is_computed_in_single_and_handed_out_in_half():
    assert SoftmaxWithLoss().forward(np.array([[6e4, -6e4]], np.float16), [1]) == 120000
    W = np.array([[0.5]], np.float16)
    y = Affine(W, np.zeros(1, np.float16)).forward([[70000]])
    assert y.dtype == np.float16 and y == 35000
    net = Sequential(Affine(W, np.zeros(1, np.float16)), loss=SigmoidWithLoss())
    assert net.predict(np.ones((2, 1), np.float16)).dtype == np.float16
    net.forward(np.ones((2, 1), np.float16), [0, 1])
    assert net.scores.dtype == net.backward().dtype == net.grads[0].dtype == np.float16
    assert softmax(np.ones(2, np.float16)).dtype == np.float16


def test_targets_that_sum_to_one_but_for_rounding_are_made_to():
    t = np.array([[0.3003, 0.3003, 0.4003]])  # 1.0009
    assert all(error < 1e-7 for error in gradient_check(SoftmaxWithLoss(), normal(0, (1, 3)), t).values())


# -- fit --


def test_fit_looks_at_one_batch_first_and_not_at_all_rows():
    seen = []

    class Watched(Own):
        def forward(self, x):
            seen.append((len(x), self.training))
            return super().forward(x)

    net = Sequential(Watched(np.ones(2)), loss=SoftmaxWithLoss())
    x, t = normal(0, (100, 2)), np.zeros(100, int)
    fit(net, SGD(), x, t, epochs=0, batch_size=10)
    assert seen == [(10, False)]
    fit(net, SGD(), x, t, epochs=1, batch_size=50, test=(x[:7], t[:7]))
    assert seen[1:] == [(50, False), (7, False), (50, True), (50, True), (7, False)]


def test_what_fit_first_looks_at_takes_no_more_memory_than_a_batch():
    x, t = np.zeros((20_000, 50), np.float32), np.zeros(20_000, int)
    net = Sequential(Affine(np.zeros((50, 500), np.float32), np.zeros(500, np.float32)), loss=SoftmaxWithLoss())
    tracemalloc.start()
    try:
        fit(net, SGD(), x, t, epochs=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6  # all rows at once would be 40 MB for the scores alone; labels are looked at 4096 at a time


def test_a_layer_that_works_in_place_leaves_the_training_data_alone():
    class Doubles:
        params, grads = [], []

        def forward(self, x):
            x *= 2
            return x

        def backward(self, dout):
            return 2 * dout

    x = X.copy()
    fit(Sequential(Doubles(), affine(), loss=SoftmaxWithLoss()), SGD(), x, T, epochs=2)
    np.testing.assert_array_equal(x, X)


def test_accuracies_fit_the_loss():
    x = normal(0, (8, 3))
    t = (x > 0).astype(int)
    net = Sequential(Affine(9 * np.eye(3), np.zeros(3)), loss=SigmoidWithLoss())
    assert fit(net, SGD(0.0), x, t, epochs=1)["accuracy"] == [1.0]  # of all answers, not of rows
    t[0, 0] = 1 - t[0, 0]
    assert fit(net, SGD(0.0), x, t, epochs=1)["accuracy"] == [pytest.approx(23 / 24)]
    net = Sequential(Affine(np.ones((3, 1)), np.zeros(1)), loss=SoftmaxWithLoss())
    history = fit(net, SGD(), x, np.zeros(8, int), epochs=1)
    assert history == {"loss": [0.0], "accuracy": [1.0]}


def test_an_interrupt_ends_training_after_a_whole_step_and_returns_the_history():
    class Interrupted(Momentum):
        steps = 0

        def update(self, params, grads):
            super().update(params, grads)
            self.steps += 1
            if self.steps == 7:
                raise KeyboardInterrupt

    net, twin = network(), network()
    with pytest.warns(UserWarning, match=r"^fit: interrupted after step \d \(epoch 3\)") as told:
        history = fit(net, Interrupted(0.1), X, T, epochs=9, batch_size=2)
    assert told[0].filename == __file__  # where `fit` was called
    assert len(history["loss"]) == 2
    expected = fit(twin, Momentum(0.1), X, T, epochs=2, batch_size=2)
    assert history == expected


def test_a_schedule_sets_the_rate_of_each_step_and_a_callback_may_end_training():
    rates, seen = [], []

    class Watched(SGD):
        def update(self, params, grads):
            rates.append(self.lr)
            super().update(params, grads)

    def callback(history):
        seen.append(len(history["loss"]))
        return len(seen) == 3

    history = fit(
        network(), Watched(), X, T, epochs=9, batch_size=3, schedule=lambda k: 0.1 / (1 + k), callback=callback
    )
    assert rates == [0.1 / (1 + k) for k in range(6)] and seen == [1, 2, 3] and len(history["loss"]) == 3


def test_a_class_instead_of_an_optimizer_is_refused():
    with pytest.raises(TypeError, match="^fit: expected a network and an optimizer; got .*SGD"):
        fit(network(), SGD, X, T, epochs=1)


# -- memory of graphs --


def test_a_graph_is_freed_at_once():
    gc.disable()
    tracemalloc.start()
    try:
        w = Variable(np.zeros(10_000))
        for _ in range(20):
            y = (w * w + w).sigmoid().sum()
        del y
        assert tracemalloc.get_traced_memory()[0] < 1e6
    finally:
        tracemalloc.stop()
        gc.enable()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))])
def test_a_deep_graph_can_be_copied(copied):
    y = x = Variable(1.0, "x")
    for _ in range(5000):
        y = y + 0.5 * x
    twin, leaf = copied((y, x))
    twin.backward()
    assert float(leaf.grad) == 2501 and x.grad is None and leaf.name == "x"
    y.backward()
    again = copied(y)
    assert float(x.grad) == 2501 and again.grad == 1 and len(again.topological_order()) == 10_000
    with pytest.raises(RuntimeError, match="does not remember this forward pass"):
        again.backward()
    assert len(again.record.returned) == 10_000


def test_a_graph_of_nodes_with_two_outputs_can_be_copied_and_an_unused_output_is_still_drawn():
    from mlcore import Branch

    p, q, _ = apply(Branch(3), Variable([1.0, 2.0], "x"))
    y = (p * q).sum()
    twin = copy.deepcopy(y)
    twin.backward([1.0])
    y.backward([1.0])
    assert repr(twin.draw()) == repr(y.draw())


def test_a_picture_of_too_many_steps_is_refused_in_time():
    y = Variable(1.0)
    for _ in range(400):
        y = y + 1.0
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"^Variable\.draw: a picture of 400 steps"):
        y.draw()
    with pytest.raises(ValueError, match=r"^Variable\.steps: a player of 400 steps"):
        y.steps()
    assert time.perf_counter() - start < 5


def test_the_spiral_is_learnt_with_nodes_alone():
    x, t = load_spiral()
    rng = np.random.default_rng(0)
    net = Sequential(
        Affine(rng.standard_normal((2, 24)), np.zeros(24)),
        Sigmoid(),
        Affine(rng.standard_normal((24, 3)), np.zeros(3)),
        loss=SoftmaxWithLoss(),
    )
    fit(net, SGD(1.0), x, t, epochs=200)
    assert accuracy(net.predict(x), t) > 0.9


@pytest.mark.skipif(os.name == "nt", reason="no process can be sent an interrupt there")
def test_wherever_an_interrupt_comes_the_parameters_are_those_of_whole_steps():
    """A timer interrupts at a random point; parameters and state are then those of a run with as many steps."""

    def big():
        sizes = [(60, 60)] * 4
        layers = [Affine(normal(k, shape) / 8, normal(k, shape[1])) for k, shape in enumerate(sizes)]
        return Sequential(*layers, loss=SoftmaxWithLoss())

    x, t = normal(1, (64, 60)), np.arange(64) % 60
    for k in range(12):
        net, steps = big(), []
        timer = threading.Timer(0.0007 * k, os.kill, (os.getpid(), signal.SIGINT))

        class Counts(Momentum):
            def update(self, params, grads, steps=steps, timer=timer):
                super().update(params, grads)
                steps.append(1)
                if len(steps) == 3:
                    timer.start()

        optimizer = Counts(0.01)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
        try:
            with pytest.warns(UserWarning, match="^fit: interrupted after step"):
                fit(net, optimizer, x, t, epochs=4000, batch_size=8)
        finally:
            signal.signal(signal.SIGINT, before)
        timer.join()
        twin, other, done = big(), Momentum(0.01), 0
        rng = np.random.default_rng(0)
        while done < len(steps):
            order = rng.permutation(64)
            for start in range(0, 64, 8):
                if done < len(steps):
                    batch = order[start : start + 8]
                    twin.forward(x[batch], t[batch])
                    twin.backward()
                    other.update(twin.params, twin.grads)
                    done += 1
        for a, b in zip([*net.params, *(optimizer.v or [])], [*twin.params, *(other.v or [])], strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_pass_is_published_by_whoever_has_finished_it():
    layer = Sigmoid()
    _, step = contract.run(layer, True, np.zeros(2), publish=False)
    assert layer._pass is None
    contract.run(layer, False, np.zeros(2))
    assert layer._pass is None
    _, step = contract.run(layer, True, np.zeros(2))
    assert layer._pass is step


def test_what_is_wrapped_keeps_its_name_and_its_words():
    for name in mlcore.__all__:
        thing = getattr(mlcore, name)
        assert thing.__name__ == name and thing.__doc__.strip(), name
        assert thing.__module__.startswith("mlcore."), name


def test_the_accuracy_of_fit_is_that_of_accuracy_also_for_sequences_and_soft_targets():
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((6, 4, 2)), rng.integers(3, size=(6, 4))
    net = Sequential(Affine(rng.standard_normal((2, 3)), np.zeros(3)), loss=SoftmaxWithLoss())
    right = accuracy(net.predict(x), t)
    assert fit(net, SGD(lr=0), x, t, epochs=1, batch_size=6)["accuracy"] == [right] and 0 < right < 1
    x, t = rng.standard_normal((8, 2)), np.array([0.3, 0.45, 0.55, 0.1, 0.9, 0.4, 0.35, 0.7])
    net = Sequential(Affine(rng.standard_normal((2, 1)), np.zeros(1)), loss=SigmoidWithLoss())
    right = accuracy(net.predict(x), t)
    assert fit(net, SGD(lr=0), x, t, epochs=1, batch_size=8)["accuracy"] == [right] and 0 < right < 1


def test_what_a_pass_remembers_under_a_private_name_is_not_shown():
    class Hidden(Node):
        def forward(self, x):
            self.seen, self._secret = x, 2 * x
            return x

        def backward(self, dy):
            return dy + self._secret - self._secret

    layer = Hidden()
    layer.forward([1.0])
    assert layer.seen == 1 and not hasattr(layer, "_secret")
    assert layer.backward([3.0]) == 3


def test_a_target_of_one_half_means_no_in_fit_as_in_accuracy():
    x, t = np.array([[3.0], [2.0]]), np.array([0.5, 0.5])
    net = Sequential(Affine(np.ones((1, 1)), np.zeros(1)), loss=SigmoidWithLoss())
    assert fit(net, SGD(lr=0), x, t, epochs=1)["accuracy"] == [0.0] == [accuracy(net.predict(x), t)]


def test_a_list_of_parameters_is_the_layers_own():
    given = [np.ones(2)]
    layer = Sigmoid()
    layer.params = given
    given.append(np.ones(3))
    assert len(layer.params) == len(layer.grads) == 1


def test_a_pass_that_was_copied_or_pickled_still_knows_the_shape_of_what_came_out():
    net = network()
    net.forward(X, T)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        with pytest.raises(ValueError, match="Sigmoid.backward: the upstream gradient has shape"):
            twin.layers[1].backward(np.ones((5, 3)))
        assert twin.layers[1].backward(np.ones((5, 4))).shape == (5, 4)
