"""Reference paths of PyTorch's optimizers, 1,000 steps each, and how to follow them.

An optimizer with a wrong rule still trains: "the loss went down" does not
test it. Comparing its whole path with that of an independent implementation
does. This file holds

* the problem: :func:`start` and :func:`gradient`, which use ``+ - *`` only,
  so every library and machine computes the same gradients;
* the settings: ``RUNS``, two for each of the six rules;
* the reader: :func:`load`, which needs NumPy alone;
* the maker: :func:`main`, the only part that needs PyTorch.

Run ``python tests/reference/make_trajectories.py`` to write
``trajectories.npz`` again; ``README.md`` beside it says with what.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

PATH = Path(__file__).with_name("trajectories.npz")
N_STEPS = 1000
STEPS = np.array([*range(1, 21), *range(40, N_STEPS + 1, 20)])

# The objective is a bowl around (TARGET_W, TARGET_B),
#
#   D = W - TARGET_W, d = b - TARGET_B
#   f = sum_ij  CURVE_W_ij D_ij^2 / 2 + Q D_ij^4 / 4 + Q D_ij^2 d_j^2 / 2
#     + sum_j   CURVE_B_j  d_j^2  / 2 + Q d_j^4  / 4
#
# with curvatures from 1/64 to 3/8. The quartic terms make it non-quadratic,
# D^2 d^2 ties the parameters together; f is convex everywhere, so gradient
# descent does not amplify rounding errors. The bowl is far (28 to 46 away
# in every coordinate) from the start near 0: after 1,000 steps nearly every
# rule is still under way, and the adaptive ones do not reach the bottom,
# where they would divide rounding error by rounding error. All constants are
# dyadic fractions, exact in float64.
CURVE_W = np.array([[16, 4, 12, 2], [3, 24, 1, 8], [6, 2, 18, 10]]) / 64
CURVE_B = np.array([8, 2, 20, 5]) / 64
TARGET_W = np.array([[32.0, -44.0, 38.0, -28.0], [-40.0, 30.0, -34.0, 46.0], [36.0, -30.0, 42.0, -38.0]])
TARGET_B = np.array([-36.0, 42.0, -30.0, 40.0])
Q = 1 / 8192

# (optimizer and its arguments in mlcore, class and arguments in torch.optim)
RUNS = [
    ("SGD", {"lr": 0.01}, "SGD", {"lr": 0.01}),
    ("SGD", {"lr": 0.25}, "SGD", {"lr": 0.25}),
    (
        "Momentum",
        {"lr": 0.01, "momentum": 0.9},
        "SGD",
        {"lr": 0.01, "momentum": 0.9},
    ),
    (
        "Momentum",
        {"lr": 0.05, "momentum": 0.99},
        "SGD",
        {"lr": 0.05, "momentum": 0.99},
    ),
    (
        "Nesterov",
        {"lr": 0.01, "momentum": 0.9},
        "SGD",
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
    ),
    (
        "Nesterov",
        {"lr": 0.05, "momentum": 0.99},
        "SGD",
        {"lr": 0.05, "momentum": 0.99, "nesterov": True},
    ),
    ("AdaGrad", {"lr": 0.01, "eps": 1e-8}, "Adagrad", {"lr": 0.01, "eps": 1e-8}),
    ("AdaGrad", {"lr": 1.0, "eps": 1e-4}, "Adagrad", {"lr": 1.0, "eps": 1e-4}),
    (
        "RMSprop",
        {"lr": 0.01, "decay_rate": 0.99, "eps": 1e-8},
        "RMSprop",
        {"lr": 0.01, "alpha": 0.99, "eps": 1e-8},
    ),
    (
        "RMSprop",
        {"lr": 0.1, "decay_rate": 0.995, "eps": 1e-4},
        "RMSprop",
        {"lr": 0.1, "alpha": 0.995, "eps": 1e-4},
    ),
    (
        "Adam",
        {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
        "Adam",
        {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8},
    ),
    (
        "Adam",
        {"lr": 0.1, "beta1": 0.95, "beta2": 0.99, "eps": 1e-4},
        "Adam",
        {"lr": 0.1, "betas": (0.95, 0.99), "eps": 1e-4},
    ),
    (
        "AdamW",
        {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01},
        "AdamW",
        {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01},
    ),
    (
        "AdamW",
        {"lr": 0.1, "beta1": 0.95, "beta2": 0.99, "eps": 1e-4, "weight_decay": 0.1},
        "AdamW",
        {"lr": 0.1, "betas": (0.95, 0.99), "eps": 1e-4, "weight_decay": 0.1},
    ),
    # With a schedule: its name and arguments in mlcore.
    ("SGD", {"lr": 0.25}, "SGD", {"lr": 0.25}, ("cosine", {"lr": 0.25, "steps": 1000, "warmup": 100})),
    (
        "Momentum",
        {"lr": 0.05, "momentum": 0.0},
        "SGD",
        {"lr": 0.05},
        ("step_decay", {"lr": 0.05, "factor": 0.5, "every": 300}),
    ),
]


class Run(NamedTuple):
    """One reference path.

    Attributes
    ----------
    optimizer : str
        Name of the class in ``mlcore``.
    settings : dict
        Its keyword arguments.
    path : ndarray, shape (69, 16), float64
        Row k is the flat parameter vector (12 entries of W, 4 of b) after
        ``STEPS[k]`` updates.
    schedule : list or None
        Name and keyword arguments of a schedule in ``mlcore.tuning``.
    """

    optimizer: str
    settings: dict
    path: np.ndarray
    schedule: list | None


def start():
    """Return fresh start values ``[W, b]``, float64, shapes (3, 4) and (4,)."""
    W = [[1.5, -2.0, 1.0, -1.0], [0.5, 2.5, -1.5, 2.0], [-2.0, 1.0, 3.0, -0.5]]
    b = [1.0, -1.5, 2.0, -0.5]
    return [np.array(W), np.array(b)]


def gradient(params):
    """Return the gradient ``[dW, db]`` of the objective at ``params = [W, b]``.

    Element-wise ``+ - *`` in a fixed order: no library function, no matrix
    product, so the bits do not depend on the machine.
    """
    W, b = params
    D = W - TARGET_W
    d = b - TARGET_B
    squares = D[0] * D[0] + D[1] * D[1] + D[2] * D[2]
    dW = CURVE_W * D + Q * D * D * D + Q * D * (d * d)
    db = CURVE_B * d + Q * d * d * d + Q * d * squares
    return [dW, db]


def flatten(params):
    """Return ``[W, b]`` as one vector, shape (16,)."""
    return np.concatenate([np.ravel(p) for p in params])


def follow(optimizer, schedule=None):
    """Return the path of ``optimizer``, shape (69, 16), comparable to `Run.path`.

    ``optimizer.update(params, grads)`` must change the arrays in ``params``
    in place; ``schedule(k)`` gives the learning rate of step k, from 0.
    """
    params = start()
    rows = []
    for step in range(1, N_STEPS + 1):
        if schedule is not None:
            optimizer.lr = schedule(step - 1)
        optimizer.update(params, gradient(params))
        if step in STEPS:
            rows.append(flatten(params))
    return np.array(rows)


def relative_difference(path, reference):
    """Return max over the steps of ``|path - reference| / |reference|`` (2-norms)."""
    difference = np.linalg.norm(path - reference, axis=1)
    return float(np.max(difference / np.linalg.norm(reference, axis=1)))


def load():
    """Return the stored paths as a list of `Run`, two for each rule and two with a schedule.

    Raises
    ------
    ValueError
        If the file was made for another problem: other start values, steps or
        gradient at the start.
    """
    with np.load(PATH, allow_pickle=False) as file:
        data = dict(file)
    here = {"start": flatten(start()), "gradient": flatten(gradient(start()))}
    here["steps"] = STEPS
    for name, value in here.items():
        if not np.array_equal(data[name], value):
            raise ValueError(f"{PATH.name} was made for another {name}: run main() again")
    runs = json.loads(str(data["about"]))["runs"]
    return [
        Run(optimizer, settings, path, schedule[0] if schedule else None)
        for (optimizer, settings, _, _, *schedule), path in zip(runs, data["paths"], strict=True)
    ]


def versions():
    """Return the versions the stored paths were made with, as a dict of str."""
    with np.load(PATH, allow_pickle=False) as file:
        return json.loads(str(file["about"]))["versions"]


def torch_schedule(optimizer, schedule=None):
    """Return PyTorch's scheduler for a schedule of `RUNS`, if there is one."""
    from torch.optim import lr_scheduler

    if schedule is None:
        return None
    name, settings = schedule
    if name == "step_decay":
        return lr_scheduler.StepLR(optimizer, settings["every"], settings["factor"])
    w = settings["warmup"]
    up = lr_scheduler.LinearLR(optimizer, start_factor=1 / w, total_iters=w - 1)
    down = lr_scheduler.CosineAnnealingLR(optimizer, settings["steps"] - w)
    return lr_scheduler.SequentialLR(optimizer, [up, down], [w])


def main():
    """Make ``trajectories.npz`` with PyTorch (float64, CPU, one thread)."""
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    paths = []
    for _, _, name, settings, *schedule in RUNS:
        params = [torch.nn.Parameter(torch.from_numpy(p)) for p in start()]
        optimizer = getattr(torch.optim, name)(params, foreach=False, **settings)
        rates, rows = torch_schedule(optimizer, *schedule), []
        for step in range(1, N_STEPS + 1):
            values = [p.detach().numpy() for p in params]
            for p, g in zip(params, gradient(values), strict=True):
                p.grad = torch.from_numpy(g)
            optimizer.step()
            if rates is not None:
                rates.step()
            if step in STEPS:
                rows.append(flatten([p.detach().numpy() for p in params]))
        paths.append(rows)

    about = {
        "versions": {"torch": str(torch.__version__), "numpy": np.__version__},
        "runs": RUNS,
    }
    np.savez(
        PATH,
        about=np.array(json.dumps(about)),
        start=flatten(start()),
        gradient=flatten(gradient(start())),
        steps=STEPS.astype("<i8"),
        paths=np.array(paths),
    )
    print(f"{PATH.name}: {PATH.stat().st_size} bytes, {about['versions']}")


if __name__ == "__main__":
    main()
