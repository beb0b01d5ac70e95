"""A network of the reader's own, trained before their eyes: the program that is shown is the one that runs."""

import textwrap
from functools import partial

import matplotlib.pyplot as plt

from mlcore.teaching import visual
from mlcore.teaching.controls import controls

SLICES, STEPS = 30, 100  # pictures of a training, and about as many steps before each

DATA = {
    "spiral": "x, t = load_spiral(seed=0)\n",
    "moons": """\
t = np.arange(300) % 2
angle = np.pi * (t + rng.random(300))
x = np.stack([np.cos(angle) + t - 0.5, np.sin(angle) + 0.4 * t - 0.2], axis=1) / 1.6
x += 0.06 * rng.standard_normal(x.shape)
""",
    "circles": """\
t = np.arange(300) % 2
angle, radius = 2 * np.pi * rng.random(300), 0.4 + 0.5 * t + 0.07 * rng.standard_normal(300)
x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
""",
    "XOR": """\
x = rng.uniform(-1, 1, (300, 2))
t = (x[:, 0] * x[:, 1] > 0).astype(int)
""",
}
PREPARE = """\
import numpy as np

from mlcore import {names}

rng = np.random.default_rng({seed})
{data}
layers, sizes = [], {sizes}
for D, H in zip(sizes, sizes[1:]):
    layers += [Affine(initial_weights(rng, D, H, "{weights}"), np.zeros(H)), {activation}()]
net = Sequential(*layers[:-1], loss=SoftmaxWithLoss())
optimizer, losses, shares = {rule}(lr={lr:g}), [], []
"""
SLICE = """\
history = fit(net, optimizer, x, t, epochs={epochs}, batch_size={batch}, rng=rng)
losses, shares = losses + history["loss"], shares + history["accuracy"]
"""
TELL = """\
print(f"epoch {len(losses)}: loss {losses[-1]:.4f}, {accuracy(net.predict(x), t):.1%} right")
"""


def parts(data, hidden, units, activation, rule, lr, batch, seed):
    """The program for these settings in two parts: what comes first, and what is repeated."""
    names = ["Affine", "Sequential", "SoftmaxWithLoss", "accuracy", "fit", "initial_weights", activation, rule]
    prepare = PREPARE.format(
        names=", ".join(sorted(names + ["load_spiral"] * (data == "spiral"))),
        seed=seed,
        data=DATA[data],
        sizes=[2, *[units] * hidden, 3 if data == "spiral" else 2],
        weights="he" if activation == "ReLU" else "xavier",
        activation=activation,
        rule=rule,
        lr=lr,
    )
    return prepare, SLICE.format(epochs=max(1, round(STEPS * batch / 300)), batch=batch)


def program(**settings):
    """The whole program for these settings."""
    prepare, again = parts(**settings)
    return f"{prepare}for _ in range({SLICES}):\n{textwrap.indent(again + TELL, '    ')}"


def train(**settings):
    """Run that program; before each of its rounds and at the end, yield what draws its state."""
    prepare, again = parts(**settings)
    names = {}
    exec(prepare, names)
    yield partial(draw, names)
    for _ in range(SLICES):
        exec(again, names)
        yield partial(draw, names)


def draw(names):
    """Print how far it is, and draw what the network says of each point, its losses and its accuracies."""
    x, t, net, losses, shares = (names[name] for name in ("x", "t", "net", "losses", "shares"))
    if losses:
        exec(TELL, names)
    else:
        print(f"before training: loss {net.forward(x, t):.4f}, {names['accuracy'](net.predict(x), t):.1%} right")
    fig, axes = plt.subplot_mosaic([["plane", "loss"], ["plane", "share"]], figsize=(6.4, 3.1), layout="none")
    fig.subplots_adjust(left=0.01, right=0.98, bottom=0.14, top=0.97, wspace=0.2, hspace=0.25)
    visual.plot_decision_boundary(net.predict, x, t, ax=axes["plane"])
    axes["plane"].set(xlabel="", ylabel="", xticks=[], yticks=[])
    for name, values in [("loss", losses), ("share", shares)]:
        axes[name].plot(range(1, len(values) + 1), values)
    axes["loss"].set(ylabel="loss", ylim=(0, 1.3), xticklabels=[])
    axes["share"].set(ylabel="share right", ylim=(0, 1.03), xlabel="epoch")
    for name in ("loss", "share"):
        axes[name].set_xlim(0, max(10, 1.3 * len(losses)))


def playground():
    """Let the reader choose data, network and rule, and train it step by step: see :func:`~.controls.controls`."""
    visual.use_style()
    settings = {
        "data": ("spiral", list(DATA)),
        "hidden": (1, [0, 1, 2, 3]),
        "units": (10, [1, 2, 3, 5, 10, 20]),
        "activation": ("ReLU", ["Sigmoid", "Tanh", "ReLU"]),
        "rule": ("SGD", ["SGD", "Momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam"]),
        "lr": (1, [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]),
        "batch": (30, [5, 10, 30, 100, 300]),
        "seed": (0, int),
    }
    return controls(train, settings, program)
