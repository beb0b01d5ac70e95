"""One training step of one network, in each library: functions that make a function without arguments."""

import numpy as np
import textbook

import mlcore


def data(sizes, batch, dtype):
    """Weights, biases, inputs and index labels for a network of these layer sizes."""
    rng = np.random.default_rng(0)
    weights = [
        ((rng.standard_normal((n, m)) / np.sqrt(n)).astype(dtype), np.zeros(m, dtype))
        for n, m in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    return weights, rng.standard_normal((batch, sizes[0])).astype(dtype), rng.integers(0, sizes[-1], batch)


def stack(library, weights):
    """Affine and Sigmoid in turn, without a Sigmoid at the end."""
    return [layer for W, b in weights for layer in (library.Affine(W, b), library.Sigmoid())][:-1]


def with_mlcore(sizes, batch, rule, dtype=np.float32):
    weights, x, t = data(sizes, batch, dtype)
    network = mlcore.Sequential(*stack(mlcore, weights), loss=mlcore.SoftmaxWithLoss())
    optimizer = getattr(mlcore, rule)()
    x.setflags(write=False)  # as `fit` does with its own batches: nobody changes them, so nothing is copied

    def step():
        network.forward(x, t)
        network.backward(input_gradient=False)
        optimizer.update(network.params, network.grads)

    return step


def with_textbook(sizes, batch, rule, dtype=np.float64):
    weights, x, t = data(sizes, batch, dtype)
    network = textbook.Network(stack(textbook, weights), textbook.SoftmaxWithLoss())
    optimizer = getattr(textbook, rule)()

    def step():
        network.forward(x, t)
        network.backward()
        optimizer.update(network.params, network.grads)

    return step


def with_torch(sizes, batch, rule):
    import torch

    weights, x, t = data(sizes, batch, np.float32)
    layers = []
    for W, b in weights:
        linear = torch.nn.Linear(*W.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.T))
            linear.bias.copy_(torch.from_numpy(b))
        layers += [linear, torch.nn.Sigmoid()]
    network, loss = torch.nn.Sequential(*layers[:-1]), torch.nn.CrossEntropyLoss()
    optimizer = getattr(torch.optim, rule)(network.parameters(), lr=0.01 if rule == "SGD" else 0.001)
    x, t = torch.from_numpy(x), torch.from_numpy(t)

    def step():
        optimizer.zero_grad()
        loss(network(x), t).backward()
        optimizer.step()

    return step


def matrix_products(sizes, batch):
    """Only the matrix products of a step: all that no implementation can do without."""
    weights, x, _ = data(sizes, batch, np.float32)
    activations = [x] + [np.zeros((batch, n), np.float32) for n in sizes[1:]]
    gradients = [np.zeros_like(W) for W, _ in weights]

    def step():
        for (W, _), a, out in zip(weights, activations[:-1], activations[1:], strict=True):
            np.matmul(a, W, out=out)
        for k, (W, _) in reversed(list(enumerate(weights))):
            np.matmul(activations[k].T, activations[k + 1], out=gradients[k])
            if k:
                np.matmul(activations[k + 1], W.T, out=activations[k])

    return step


def update_with_mlcore(count, rule):
    rng = np.random.default_rng(0)
    params, grads = ([rng.standard_normal(count).astype(np.float32)] for _ in range(2))
    optimizer = getattr(mlcore, rule)()
    return lambda: optimizer.update(params, grads)


def update_in_place(count, rule, block=2**16):
    """The floor of NumPy: the same rule, all in place, nothing checked, in blocks that stay in the cache."""
    rng = np.random.default_rng(0)
    param, grad = (rng.standard_normal(count).astype(np.float32) for _ in range(2))
    state = np.zeros((2, count), np.float32)
    spare = np.empty(block, np.float32)
    cuts = [slice(i, min(i + block, count)) for i in range(0, count, block)]
    parts = [(param[c], grad[c], *state[:, c], spare[: c.stop - c.start]) for c in cuts]
    optimizer = getattr(mlcore, rule)()

    def average(h, values, decay, out):
        h *= decay
        np.multiply(values, 1 - decay, out=out)
        h += out

    def move(p, values, h, lr, out):
        np.sqrt(h, out=out)
        out += optimizer.eps
        np.divide(values, out, out=out)
        out *= lr
        p -= out

    def adagrad():
        for p, g, _, h, a in parts:
            h += np.multiply(g, g, out=a)
            move(p, g, h, optimizer.lr, a)

    def rmsprop():
        for p, g, _, h, a in parts:
            average(h, np.multiply(g, g, out=a), optimizer.decay_rate, a)
            move(p, g, h, optimizer.lr, a)

    def adam():
        optimizer.iter += 1
        m_share, v_share = (1 - beta**optimizer.iter for beta in (optimizer.beta1, optimizer.beta2))
        for p, g, m, v, a in parts:
            average(m, g, optimizer.beta1, a)
            average(v, np.multiply(g, g, out=a), optimizer.beta2, a)
            move(p, m, np.divide(v, v_share, out=a), optimizer.lr / m_share, a)

    return {"AdaGrad": adagrad, "RMSprop": rmsprop, "Adam": adam}[rule]


def update_with_torch(count, rule):
    import torch

    name = {"AdaGrad": "Adagrad", "RMSprop": "RMSprop", "Adam": "Adam"}[rule]
    parameter = torch.nn.Parameter(torch.randn(count))
    parameter.grad = torch.randn(count)
    return getattr(torch.optim, name)([parameter]).step


def epoch_with_mlcore(hidden=50, batch=32):
    (x, t), _ = mlcore.load_digits()
    rng = np.random.default_rng(0)
    weights = [
        ((rng.standard_normal((n, m)) / np.sqrt(n)).astype(np.float32), np.zeros(m, np.float32))
        for n, m in [(x.shape[1], hidden), (hidden, 10)]
    ]
    network = mlcore.Sequential(*stack(mlcore, weights), loss=mlcore.SoftmaxWithLoss())
    optimizer, x = mlcore.Adam(), x.astype(np.float32)
    return lambda: mlcore.fit(network, optimizer, x, t, epochs=5, batch_size=batch, rng=rng, progress=False)


def epoch_with_sklearn(hidden=50, batch=32):
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    (x, t), _ = mlcore.load_digits()
    x = x.astype(np.float32)

    def epochs():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # five epochs are not meant to converge
            MLPClassifier((hidden,), activation="logistic", batch_size=batch, max_iter=5, alpha=0).fit(x, t)

    return epochs
