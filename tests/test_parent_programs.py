"""Programs in the style of the parent book run unchanged on these classes."""

import numpy as np
import pytest
from helpers import normal

from mlcore import (
    SGD,
    AdaGrad,
    Adam,
    Affine,
    MatMul,
    Momentum,
    Nesterov,
    RMSprop,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    load_spiral,
    softmax,
)

RULES = [SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam]


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, seed=0):
        rng = np.random.default_rng(seed)
        W1 = 0.01 * rng.standard_normal((input_size, hidden_size))
        b1 = np.zeros(hidden_size)
        W2 = 0.01 * rng.standard_normal((hidden_size, output_size))
        b2 = np.zeros(output_size)
        self.layers = [Affine(W1, b1), Sigmoid(), Affine(W2, b2)]
        self.loss_layer = SoftmaxWithLoss()
        self.params, self.grads = [], []
        for layer in self.layers:
            self.params += layer.params
            self.grads += layer.grads

    def predict(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def forward(self, x, t):
        return self.loss_layer.forward(self.predict(x), t)

    def backward(self, dout=1):
        dout = self.loss_layer.backward(dout)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


def train(model, optimizer, x, t, epochs, batch_size=30, seed=0):
    """The parent book's loop; returns the mean loss of each epoch."""
    rng, losses = np.random.default_rng(seed), []
    for _ in range(epochs):
        order = rng.permutation(len(x))
        x, t = x[order], t[order]
        total = count = 0
        for i in range(len(x) // batch_size):
            batch = slice(i * batch_size, (i + 1) * batch_size)
            total += model.forward(x[batch], t[batch])
            model.backward()
            optimizer.update(model.params, model.grads)
            count += 1
        losses.append(total / count)
    return losses


def test_the_spiral_program_reaches_the_published_loss_and_accuracy():
    """2-10-3, SGD 1.0, batches of 30, 300 epochs: loss 0.10 to 0.14, accuracy 96 to 98 %, with one-hot labels."""
    x, t = load_spiral(seed=0)
    model = TwoLayerNet(2, 10, 3)
    losses = train(model, SGD(lr=1.0), x, np.eye(3, dtype=int)[t], epochs=300)
    assert losses[0] == pytest.approx(np.log(3), abs=0.05)
    assert losses[-1] < 0.2
    assert (model.predict(x).argmax(axis=1) == t).mean() >= 0.95


@pytest.mark.parametrize(("rule", "lr"), list(zip(RULES, [1.0, 0.2, 0.2, 0.1, 0.01, 0.01], strict=True)))
def test_every_optimizer_trains_the_two_layer_net(rule, lr):
    x, t = load_spiral()
    losses = train(TwoLayerNet(2, 10, 3), rule(lr=lr), x, t, epochs=60)
    assert losses[-1] < losses[0] - 0.2


def test_a_matrix_product_takes_one_hot_integers():
    """The first word vectors: a context of one-hot rows picks rows of the weights."""
    c0, c1 = np.array([[1, 0, 0, 0, 0, 0, 0]]), np.array([[0, 0, 1, 0, 0, 0, 0]])
    W_in, W_out = normal(0, (7, 3)), normal(1, (3, 7))
    in_layer0, in_layer1, out_layer = MatMul(W_in), MatMul(W_in), MatMul(W_out)
    h0, h1 = in_layer0.forward(c0), in_layer1.forward(c1)
    np.testing.assert_array_equal(h0, W_in[[0]])
    np.testing.assert_array_equal(h1, W_in[[2]])
    assert out_layer.forward(0.5 * (h0 + h1)).shape == (1, 7)


class SimpleCBOW:
    """Two input layers that share one array of weights."""

    def __init__(self, vocabulary, hidden):
        W_in, W_out = 0.01 * normal(0, (vocabulary, hidden), "f"), 0.01 * normal(1, (hidden, vocabulary), "f")
        self.in_layer0, self.in_layer1, self.out_layer = MatMul(W_in), MatMul(W_in), MatMul(W_out)
        self.loss_layer = SoftmaxWithLoss()
        layers = [self.in_layer0, self.in_layer1, self.out_layer]
        self.params = [p for layer in layers for p in layer.params]
        self.grads = [g for layer in layers for g in layer.grads]

    def forward(self, contexts, target):
        h0, h1 = self.in_layer0.forward(contexts[:, 0]), self.in_layer1.forward(contexts[:, 1])
        return self.loss_layer.forward(self.out_layer.forward((h0 + h1) * 0.5), target)

    def backward(self, dout=1):
        da = self.out_layer.backward(self.loss_layer.backward(dout)) * 0.5
        self.in_layer1.backward(da)
        self.in_layer0.backward(da)


@pytest.mark.parametrize(("rule", "lr"), [(AdaGrad, 0.2), (RMSprop, 0.02), (Adam, 0.02)])
def test_the_word_vector_program_with_shared_weights_learns(rule, lr):
    """You say goodbye and I say hello: float32 weights, integer one-hot contexts and targets."""
    corpus = np.array([0, 1, 2, 3, 4, 1, 5, 6])
    one_hot = np.eye(7, dtype=np.int32)
    contexts = np.stack([one_hot[corpus[:-2]], one_hot[corpus[2:]]], axis=1)
    targets = one_hot[corpus[1:-1]]
    model, optimizer = SimpleCBOW(7, 5), rule(lr=lr)
    losses = []
    for _ in range(300):
        losses.append(model.forward(contexts, targets))
        model.backward()
        optimizer.update(model.params, model.grads)
    assert losses[0] == pytest.approx(np.log(7), abs=0.01) and losses[-1] < 0.5
    assert model.params[0] is model.params[1] and model.params[0].dtype == np.float32


def test_a_score_for_each_example_goes_into_sigmoid_with_loss_as_a_vector():
    """Negative sampling: h . w for each row, labels 1 and 0 as integers."""
    h, w = normal(0, (5, 3)), normal(1, (5, 3))
    score = np.sum(w * h, axis=1)
    loss = SigmoidWithLoss()
    value = loss.forward(score, np.ones(5, dtype=np.int32)) + SigmoidWithLoss().forward(
        score, np.zeros(5, dtype=np.int32)
    )
    dscore = loss.backward()
    assert dscore.shape == (5,) and value > 0
    dh = dscore.reshape(5, 1) * w
    assert dh.shape == h.shape


def test_float32_weights_take_float64_input():
    W, b = normal(0, (2, 3), np.float32), normal(1, 3, np.float32)
    x, t = normal(2, (4, 2)), np.array([0, 1, 2, 0])
    layer, loss = Affine(W, b), SoftmaxWithLoss()
    loss.forward(layer.forward(x), t)
    dx = layer.backward(loss.backward())
    assert dx.shape == x.shape and [g.dtype for g in layer.grads] == [np.float32, np.float32]
    p = (softmax(x @ W.astype(float) + b) - np.eye(3)[t]) / 4
    np.testing.assert_allclose(layer.grads[0], x.T @ p, rtol=1e-4, atol=1e-6)
    Adam().update(layer.params, layer.grads)
    assert W.dtype == np.float32


def test_lists_of_parameters_may_be_replaced_by_the_same_arrays_in_new_lists():
    """The parent's trainer passes fresh lists at every step."""
    model, other = TwoLayerNet(2, 4, 3), TwoLayerNet(2, 4, 3)
    x, t = load_spiral()
    a, b = Adam(), Adam()
    for _ in range(3):
        for net, optimizer, wrap in [(model, a, lambda p: p), (other, b, tuple)]:
            net.forward(x, t)
            net.backward()
            optimizer.update(wrap(net.params), wrap(net.grads))
    for p, q in zip(model.params, other.params, strict=True):
        np.testing.assert_array_equal(p, q)
