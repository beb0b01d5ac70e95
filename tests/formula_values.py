r"""What the symbols of the book's formulas stand for, in numbers; what can come from `mlcore` does.

`VALUES` gives for each place, a docstring or a cell of text, a function that makes these numbers. For one equation of a
place there may be others, under words from it: "place: words". `NO_RULE` says why an equation is not computed.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent / "tools"))
from formulas import matrix

import mlcore
from mlcore import tuning

N, C, D, H = 2, 3, 3, 2
BATCH = {"n": N, "k": C, "j": C}


class Numbers:
    """Random numbers, the same in every run."""

    def __init__(self, draw):
        self.rng = np.random.default_rng(draw)

    def normal(self, *shape):
        return self.rng.normal(size=shape) if shape else float(self.rng.normal())

    def positive(self, *shape):
        return self.rng.uniform(0.2, 0.9, shape) if shape else float(self.rng.uniform(0.2, 0.9))

    def rows(self, *shape):
        t = self.positive(*shape)
        return t / t.sum(axis=-1, keepdims=True)


# -- nodes and layers --


def elementwise(layer, **more):
    def values(r):
        x, dy = r.normal(4), r.normal(4)
        y = layer().forward(x)
        return {"x": x, "y": y, "dL/dy": dy, "dL/dx": backward(layer, [x], [dy]), r"\sigma": mlcore.sigmoid, **more}

    return values


def backward(layer, inputs, upstream):
    layer = layer()
    layer.forward(*inputs)
    return layer.backward(*upstream)


def two_inputs(node):
    def values(r):
        x, y, dz = r.normal(4), r.normal(4), r.normal(4)
        dx, dy = backward(node, [x, y], [dz])
        local_x, local_y = backward(node, [x, y], [np.ones(4)])
        found = {"x": x, "y": y, "z": node().forward(x, y), "dL/dz": dz, "dL/dx": dx, "dL/dy": dy}
        return found | {"dz/dx": local_x, "dz/dy": local_y}

    return values


def branch(r):
    n, x, dys = 3, r.normal(4), r.normal(3, 4)
    local = [backward(lambda: mlcore.Branch(1), [x], [np.ones(4)])] * n
    return {"n": n, "dL/dy": dys, "dL/dx": backward(lambda: mlcore.Branch(n), [x], dys), "dy/dx": np.array(local)}


def repeat(r):
    n, x, dy = 3, r.normal(2), r.normal(6)
    y, dx = mlcore.Repeat(n).forward(x), backward(lambda: mlcore.Repeat(n), [x], [dy])
    return {"x": x, "n": n, "y": y, "dL/dy": dy, "dL/dx": dx, "sizes": {"i": 2, "r": n}}


def summed(r):
    x, dy = r.normal(3), r.normal(1)
    y, dx = mlcore.Sum().forward(x), backward(mlcore.Sum, [x], [dy])
    return {"x": x, "y": y[0], "dL/dy": dy[0], "dL/dx": dx, "sizes": {"i": 3}}


def product(node, sizes, n=N, d=D, h=H, **given):
    """`Affine` or `MatMul`."""

    def values(r):
        shapes = {"W": (d, h), "b": (h,), "X": (n, d), "G": (n, h)}
        W, b, x, G = (given.get(name, r.normal(*shape)) for name, shape in shapes.items())
        layer = node(W, b) if node is mlcore.Affine else node(W)
        y = np.array(layer.forward(x))
        dx = layer.backward(G)
        dW, *db = map(np.array, layer.grads)
        found = {"X": x, "Y": y, "W": W, "G": G, "dL/dY": G, "dL/dX": dx, "dL/dW": dW}
        found = {name: matrix(value) for name, value in found.items()}
        return found | ({"b": b, "dL/db": db[0]} if db else {}) | {"sizes": sizes}

    return values


def dropout(r):
    x, dy, layer = r.normal(4), r.normal(4), mlcore.Dropout(0.4)
    y = np.array(layer.forward(x))
    return {"x": x, "y": y, "m": y / x, "dL/dy": dy, "dL/dx": layer.backward(dy), "sizes": {"i": 4}}


# -- losses --


def softmax_loss(r):
    x, t, layer = r.normal(N, C), r.rows(N, C), mlcore.SoftmaxWithLoss()
    loss = layer.forward(x, t)
    y, dx = np.array(layer.y), layer.backward()
    return {"x": x, "t": t, "y": y, "L": loss, "N": N, "dL/dx": dx, "softmax": mlcore.softmax, "sizes": BATCH}


def one_row(r):
    """What the softmax loss does to one row."""
    x, t, layer = r.normal(C), r.rows(C), mlcore.SoftmaxWithLoss()
    loss = layer.forward(x[None], t[None])
    y, dx = np.array(layer.y[0]), layer.backward()[0]
    jacobian = [mlcore.numerical_gradient(lambda x, j=j: mlcore.softmax(x)[j], x) for j in range(C)]
    found = {"x": x, "t": t, "y": y, "L": loss, "dL/dx": dx, "dy/dx": np.array(jacobian), r"\delta": np.eye(C)}
    found |= {"v": r.normal(C), "lse": lambda x: x[0] - mlcore.log_softmax(x)[0]}
    found |= {"KL": lambda t, y: mlcore.cross_entropy_error(y, t) - mlcore.cross_entropy_error(t, t)}
    return found | {"p": lambda t, y: np.exp(-mlcore.cross_entropy_error(y, t)), "C": C, "sizes": {"k": C, "j": C}}


def sigmoid_loss(r):
    x, t, layer = r.normal(N), r.positive(N), mlcore.SigmoidWithLoss()
    loss = layer.forward(x, t)
    y, dx = np.array(layer.y), layer.backward()
    each = np.array([mlcore.SigmoidWithLoss().forward(x[n : n + 1], t[n : n + 1]) for n in range(N)])
    of_y = N * dx / backward(mlcore.Sigmoid, [x], [np.ones(N)])
    found = {"x": x, "t": t, "y": y, "L": loss, "N": N, "dL/dx": dx, r"\sigma": mlcore.sigmoid}
    return found | {"L_n": each, "dL/dy": np.diag(of_y), "sizes": {"n": N}}


# -- rules --


def rule(optimizer, names, **settings):
    """The values before and after the third step of a rule; `names` of what it remembers."""

    def values(r):
        made, theta = optimizer(**{k: v for k, (_, v) in settings.items()}), r.normal(3)
        for _ in range(2):
            made.update([theta], [r.normal(3)])
        before = {name: np.array(getattr(made, name)[0]) for name in names}
        g, old = r.normal(3), theta.copy()
        made.update([theta], [g])
        new = {name: np.array(getattr(made, name)[0]) for name in names} | {r"\theta": theta}
        found = {"g": g, r"\theta": old, "new": new, "t": 3} | before
        found |= dict(settings.values())
        if "m" in names:
            found |= {r"\hat m": new["m"] / (1 - made.beta1**3), r"\hat v": new["v"] / (1 - made.beta2**3)}
        return found

    return values


LR, MU, EPS, RHO = (r"\eta", 0.07), (r"\mu", 0.8), (r"\epsilon", 0.3), (r"\rho", 0.6)
ADAM = {"lr": LR, "beta1": (r"\beta_1", 0.7), "beta2": (r"\beta_2", 0.6), "eps": EPS}
RULES = {
    "SGD": rule(mlcore.SGD, "", lr=LR),
    "Momentum": rule(mlcore.Momentum, "v", lr=LR, momentum=MU),
    "Nesterov": rule(mlcore.Nesterov, "v", lr=LR, momentum=MU),
    "AdaGrad": rule(mlcore.AdaGrad, "h", lr=LR, eps=EPS),
    "RMSprop": rule(mlcore.RMSprop, "h", lr=LR, decay_rate=RHO, eps=EPS),
    "Adam": rule(mlcore.Adam, "mv", **ADAM),
    "AdamW": rule(mlcore.AdamW, "mv", **ADAM, weight_decay=(r"\lambda", 0.4)),
}


def nesterov_of_paper(slope, **more):
    r"""The rule for the point \vartheta behind the one that is stored."""

    def values(r):
        mu, eta, optimizer, theta = 0.8, 0.07, mlcore.Nesterov(lr=0.07, momentum=0.8), r.normal(3)
        for _ in range(2):
            optimizer.update([theta], [slope(theta)])
        v, old = np.array(optimizer.v[0]), theta.copy()
        optimizer.update([theta], [slope(theta)])
        new = np.array(optimizer.v[0])
        found = {"v": v, r"\vartheta": old - mu * v, r"\mu": mu, r"\eta": eta, r"\nabla f": slope, "g": slope(old)}
        found |= {r"\theta": old, r"\theta'": theta, "v'": new, r"\vartheta'": theta - mu * new} | more
        return found | {"new": {"v": new, r"\vartheta": theta - mu * new}}

    return values


def rate_outside(r):
    """Momentum as PyTorch has it: the velocity without the learning rate."""
    found = RULES["Momentum"](r)
    for values in (found, found["new"]):
        values["v"] = -values["v"] / found[r"\eta"]
    return found


# -- functions --


def of_function(r):
    x = r.normal(4)
    return {"x": x, r"\sigma": mlcore.sigmoid}


def of_scores(r):
    x = r.normal(C)
    y = mlcore.softmax(x)
    return {"x": x, "y": y, "m": x.max(), "sizes": {"k": C, "j": C}}


def entropies(r):
    x, t = r.normal(N, C), r.rows(N, C)
    y = mlcore.softmax(x)
    return {"x": x, "y": y, "t": t, "L": mlcore.cross_entropy_error(y, t), "N": N, "sizes": BATCH}


def entropy_of_logits(r):
    found = entropies(r)
    return found | {"L": mlcore.softmax_cross_entropy(found["x"], found["t"])}


def binary_entropy(r):
    x, t = r.normal(4), r.positive(4)
    return {
        "x": x,
        "t": t,
        "w": np.where(x >= 0, 1 - t, t),
        "L": mlcore.sigmoid_cross_entropy(x, t),
        "N": 4,
        "sizes": {"n": 4},
    }


def relative(r):
    a, b = r.normal(3), r.normal(3)
    return {"a": a, "b": b, "sizes": {"i": 3}}


# -- tuning --


def schedule(make, steps, **more):
    def values(r):
        found = make()
        return {r"\eta": 0.3, "k": steps, r"\eta_k": found(steps), **more}

    return values


def clipped(r):
    g = r.normal(2, 3)
    new, limit = g.copy(), 4 * r.positive()
    tuning.clip_gradients([new], limit)
    return {"g": g, "c": limit, "new": {"g": new}, "sizes": {"i": 2, "j": 3}}


def penalty(r):
    theta, grad = r.normal(2, 3), np.zeros((2, 3))
    cost = tuning.add_l2([theta], [grad], 0.3)
    return {r"\theta": theta, r"\lambda": 0.3, "R": cost, "dR/dtheta": grad, "sizes": {"i": 2, "j": 3}}


# -- formulas of the chapters that are about numbers, not about a layer --


def quadratic(r):
    """A step of gradient descent on the curvature `lambda`."""
    x = r.normal(2)
    new = x.copy()
    mlcore.SGD(lr=0.07).update([new], [0.5 * x])
    return {"x": x, "new": {"x": new}, r"\eta": 0.07, r"\lambda": 0.5}


def saturation(squared):
    def values(r):
        z, t = r.normal(1), r.positive(1)
        y, dz = mlcore.sigmoid(z), (backward(mlcore.SigmoidWithLoss, [z, t], []))
        if squared:  # half of it, so that the derivative by y is y - t
            dz = mlcore.numerical_gradient(lambda z: float(np.sum((mlcore.sigmoid(z) - t) ** 2)) / 2, z)
        return {"y": y, "t": t, "dL/dz": dz}

    return values


def jacobian_of_softmax(r):
    x, u = r.normal(C), r.normal(C)
    rows = [mlcore.numerical_gradient(lambda x, i=i: mlcore.softmax(x)[i], x) for i in range(C)]
    found = {"u": matrix(u), "J": matrix(rows), "p": mlcore.softmax(x), r"\delta": np.eye(C)}
    return found | {"sizes": {"i": C, "j": C}}


def weights_of_scores(r):
    x, W, t = r.normal(D), r.normal(D, C), r.rows(C)
    affine, loss = mlcore.Affine(W, np.zeros(C)), mlcore.SoftmaxWithLoss()
    loss.forward(affine.forward(x[None]), t[None])
    y, ds = loss.y[0].copy(), loss.backward()
    affine.backward(ds)
    found = {"x": x, "y": y, "t": t, "dL/dW": affine.grads[0], "dL/ds": ds[0]}
    return found | {"sizes": {"i": D, "k": C}}


def transposed(r):
    A, x, u = r.normal(2, 3), r.normal(3), r.normal(2)
    dx = backward(lambda: mlcore.MatMul(A.T.copy()), [x[None]], [u[None]])[0]
    return {"A": matrix(A), "u": matrix(u), "x": matrix(x), "dL/dy": u, "dL/dx": dx, "sizes": {"i": 2, "j": 3}}


def hinge(r):
    x, t = 3 * r.normal(C), 1
    others = [x[k] - x[t] + 2 for k in range(C) if k != t]
    return {"x": x, "t": t, r"\Delta": 2.0, "L": sum(max(0, other) for other in others), "sizes": {"k": C}}


def binary(r):
    """The loss of one score, of which y is the probability of 1."""
    y, t = r.positive(), r.positive()
    x = np.log(y / (1 - y))
    return {"y": y, "t": t, "p": lambda t, y: np.exp(-mlcore.sigmoid_cross_entropy([x], [t]))}


def bell(r):
    """The density of the normal distribution, which squared error is the logarithm of."""
    density = lambda t, y: np.exp(-((t - y) ** 2) / 2 / 0.7**2) / np.sqrt(2 * np.pi * 0.7**2)  # noqa: E731
    return {"y": r.normal(), "t": r.normal(), "s": 0.7, "p": density}


def mean_of_logs(r):
    y, t = r.rows(N, C), np.array([2, 0])
    given = lambda t, y: y[t]  # noqa: E731
    return {"y": y, "t": t, "p": given, "N": N, "L": mlcore.cross_entropy_error(y, t), "sizes": {"n": N}}


def parabola(r):
    """A quadratic loss, for which Taylor's second term is the last."""
    A, x = r.normal(3, 3), r.normal(3)
    hessian = A @ A.T
    loss = lambda x: float(x @ hessian @ x) / 2  # noqa: E731
    g = mlcore.numerical_gradient(loss, x)
    found = {"x": x, "g": matrix(g), "H": matrix(hessian), "L": loss, r"\eta": 0.3, r"\theta": x}
    return found | {"c": float(g @ hessian @ g / (g @ g))}


def newton(r):
    A, theta = r.normal(2, 2), r.normal(2)
    H = A @ A.T + np.eye(2)
    return {r"\theta": matrix(theta), "H": matrix(H), "g": matrix(H @ theta), "new": {r"\theta": np.zeros(2)}}


def valley(r):
    x = r.normal(2)
    height = lambda x: 0.1 * x[0] ** 2 + 2 * x[1] ** 2  # noqa: E731
    return {"x": x, "f": height, "g": matrix(mlcore.numerical_gradient(height, x)[:, None])}


def logistic(r):
    def f(x):
        for _ in range(3):
            x = 4 * x * (1 - x)
        return x

    return {"x": r.positive(), "f": f}


def spread(momentum):
    """How far noise scatters a rule on the curvature `lambda`, in the long run."""

    def values(r):
        eta, curvature, mu, sigma = 0.3, 0.7, momentum, 1.3
        step = np.array([[1 - eta * curvature, mu], [-eta * curvature, mu]])
        scatter = np.zeros((2, 2))
        for _ in range(2000):
            scatter = step @ scatter @ step.T + (eta * sigma) ** 2
        found = {r"\eta": eta, r"\lambda": curvature, r"\mu": mu, r"\sigma": sigma, "s": scatter[0, 0] ** 0.5}
        return found | {"r": complex(np.linalg.eigvals(step)[0])}

    return values


def update_by_hand(r):
    W, dW = r.normal(2, 3), r.normal(2, 3)
    new = W.copy()
    mlcore.SGD(lr=0.07).update([new], [dW])
    return {"W": W, "dL/dW": dW, r"\eta": 0.07, "new": {"W": new}}


def chain(r):
    x = r.normal()
    slopes = {"dz/dx": np.exp(np.sin(x)) * np.cos(x), "dz/dy": np.exp(np.sin(x)), "dy/dx": np.cos(x)}
    return slopes | {"x": x, "y": np.sin(x), "g'": np.exp, "f'": np.cos}


def matrices(r):
    a, b = r.normal(2, 3), r.normal(3, 2)
    return {"dz/dx": a @ b, "dz/dy": a, "dy/dx": b, "sizes": {"i": 2, "j": 2, "k": 3}}


TWO = {"X": np.array([[1.0, 2], [3, 4]]), "W": np.array([[1.0, 0], [-1, 2]]), "b": np.array([10.0, 20]), "G": np.eye(2)}
THREE = {
    "X": np.array([[1.0, 2, 0], [0, 1, 3]]),
    "W": np.array([[1.0, 2], [0, 1], [-1, 1]]),
    "G": np.array([[1.0, 0], [2, -1]]),
}
OF_NODES = {"n": 2, "i": 2, "j": 2, "h": 2}
OF_LAYERS = {"n": N, "i": D, "j": H}

VALUES = {
    "functions.sigmoid": of_function,
    "functions.softmax": of_scores,
    "functions.log_softmax": of_scores,
    "functions.cross_entropy_error": entropies,
    "functions.softmax_cross_entropy": entropy_of_logits,
    "functions.sigmoid_cross_entropy": binary_entropy,
    "layers.Sigmoid": elementwise(mlcore.Sigmoid),
    "layers.ReLU": elementwise(mlcore.ReLU),
    "layers.Tanh": elementwise(mlcore.Tanh),
    "layers.Dropout": dropout,
    "layers.Affine": product(mlcore.Affine, OF_LAYERS),
    "losses.SoftmaxWithLoss": softmax_loss,
    "losses.SigmoidWithLoss": sigmoid_loss,
    "nodes.Add": two_inputs(mlcore.Add),
    "nodes.Multiply": two_inputs(mlcore.Multiply),
    "nodes.Branch": branch,
    "nodes.Repeat": repeat,
    "nodes.Sum": summed,
    "nodes.Power": elementwise(lambda: mlcore.Power(3), n=3),
    "nodes.MatMul": product(mlcore.MatMul, OF_LAYERS),
    **{f"optimizers.{name}": values for name, values in RULES.items()},
    "tuning.constant": schedule(lambda: tuning.constant(0.3), 5),
    "tuning.step_decay": schedule(lambda: tuning.step_decay(0.3, 0.7, 4), 9, f=0.7, n=4),
    "tuning.cosine": schedule(lambda: tuning.cosine(0.3, 20, 5), 3, w=5, n=20),
    "tuning.cosine: \\cos": schedule(lambda: tuning.cosine(0.3, 20, 5), 12, w=5, n=20),
    "tuning.clip_gradients": clipped,
    "tuning.add_l2": penalty,
    "gradients.relative_error": relative,
    "1_3_1 likelihood / N": mean_of_logs,
    "1_3_1 likelihood / s^2": bell,
    "1_3_1 likelihood / (1-t)": binary,
    "1_3_1 likelihood": one_row,
    "1_3_1 scores": one_row,
    "1_3_1 entropy": one_row,
    "1_3_1 gibbs": one_row,
    "1_3_1 convex": one_row,
    "1_3_1 hinge": hinge,
    "1_3_1 saturation: (y - t) y": saturation(True),
    "1_3_1 saturation": saturation(False),
    "1_3_2 second-order": parabola,
    "1_3_2 numerical": logistic,
    "1_3_2 real-loss": weights_of_scores,
    "1_3_3 scalar": chain,
    "1_3_3 vectors": matrices,
    "1_3_3 vjp": jacobian_of_softmax,
    "1_3_4 multiplication": two_inputs(mlcore.Multiply),
    "1_3_4 add": two_inputs(mlcore.Add),
    "1_3_4 multiply-hidden": branch,
    "1_3_4 repeat": repeat,
    "1_3_4 sum": summed,
    "1_3_4 sum-hidden": product(mlcore.MatMul, OF_NODES, 2, 2, 2),
    "1_3_4 sum-hidden / pmatrix": product(mlcore.MatMul, OF_NODES, **THREE),
    "1_3_4 tests-text": transposed,
    "1_3_4 network-update": update_by_hand,
    "1_3_5 sigmoid": elementwise(mlcore.Sigmoid),
    "1_3_5 affine": product(mlcore.Affine, OF_LAYERS),
    "1_3_5 affine / pmatrix": product(mlcore.Affine, OF_NODES, **TWO),
    "1_3_5 softmax": softmax_loss,
    "1_3_5 sigmoid-loss": sigmoid_loss,
    "1_3_6 sgd": RULES["SGD"],
    "1_3_6 sgd-theory": quadratic,
    "1_3_6 momentum": RULES["Momentum"],
    "1_3_6 nesterov-damping": nesterov_of_paper(lambda x: 0.5 * x, **{r"\lambda": 0.5}),
    "1_3_6 conventions": rate_outside,
    "1_3_6 nesterov / \\theta'": nesterov_of_paper(np.cos),
    "1_3_6 nesterov / \\theta \\leftarrow": RULES["Nesterov"],
    "1_3_6 nesterov": nesterov_of_paper(np.cos),
    "1_3_6 idea": valley,
    "1_3_6 sgd-noise-text": spread(0),
    "1_3_6 momentum-theory": spread(0.8),
    "1_3_6 momentum-noise": spread(0.8),
    "1_3_6 adagrad": newton,
    "1_3_6 adagrad-rule": RULES["AdaGrad"],
    "1_3_6 rmsprop": RULES["RMSprop"],
    "1_3_6 adam": RULES["Adam"],
    "1_5 clip-text": clipped,
    "1_5 decay-text": RULES["AdamW"],
}
EXAMPLE = "numbers of an example, each tied to a cell in numbers.json"
TEXT = "a step of an argument, not a rule of the code"
CUT_OFF = "a series that is cut off"
BEST = "the best of all settings; a cell tries others"
NO_RULE = {
    "datasets.load_spiral": "a distribution; the tests measure the data",
    "gradients.numerical_gradient": "an approximation; the tests compare it with derivatives",
    "gradients.relative_error": "said without an equals sign; an example in the docstring has the numbers",
    "gradients.gradient_check": "a sum that the check forms inside",
    "graph.Variable": TEXT,
    "network.Sequential": "a chain of functions; the tests compare it with its layers, one by one",
    "layers.Dropout: cases": "chance; the tests measure it",
    "nodes.Branch: \\dots": "copies; the tests compare them",
    "tuning.initial_weights": "a spread; the tests measure it",
    "1_3_1 scores: operatorname": "the displayed formula of this cell says it again",
    "1_3_1 penalty": "an expression, no equation",
    "1_3_2 equation": TEXT,
    "1_3_2 units-intro": TEXT,
    "1_3_2 numerical: \\dots": CUT_OFF,
    "1_3_2 complex": CUT_OFF,
    "1_3_3 eight": "a nest of functions, whose derivative a cell compares with differences",
    "1_3_3 paths": TEXT,
    "1_3_3 fraction": EXAMPLE,
    "1_3_3 dynamic": "a sum over a graph; a cell sweeps it",
    "1_3_3 dynamic-close": "an example, which the next cell computes",
    "1_3_3 misprint": "shows a misprint",
    "1_3_3 vectors: J_": EXAMPLE,
    "1_3_3 rows": EXAMPLE,
    "1_3_3 vjp: \\log": TEXT,
    "1_3_3 pairs": "arithmetic with pairs, which a cell does",
    "1_3_4 idea": EXAMPLE,
    "1_3_4 graph-own": EXAMPLE,
    "1_3_4 multiplication: (10": EXAMPLE,
    "1_3_4 repeat: (111": EXAMPLE,
    "1_3_4 memory": "a count of bytes, which a cell measures",
    "1_3_4 network": "the sum of two losses, each checked elsewhere",
    "1_3_5 by-hand-text": EXAMPLE,
    "1_3_5 once-text": TEXT,
    "1_3_5 contract-predict": TEXT,
    "1_3_5 init-text": "an expected value; a cell measures it",
    "1_3_6 idea: \\dots": CUT_OFF,
    "1_3_6 idea: \\text": EXAMPLE,
    "1_3_6 idea-predict": EXAMPLE,
    "1_3_6 sgd-theory: \\kappa": BEST,
    "1_3_6 sgd-theory: \\eta =": BEST,
    "1_3_6 sgd-noise-text: noise": "chance; the spread that follows from it is computed",
    "1_3_6 momentum-best": BEST,
    "1_3_6 adam-bound": "a bound; a cell comes close to it",
    "1_4 network-text": "layers in a row; the tests compare them one by one",
    "1_5 measure-text": "the error of a mean, which a cell computes",
}
