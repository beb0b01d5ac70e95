"""What libraries do by default, for the page of conventions.

Run `python tests/reference/conventions.py` where PyTorch, Keras, Optax and scikit-learn are installed, to write
`conventions.json` again. A test compares its numbers with the tables of `book/conventions.md`.
"""

import inspect
import json
import os
from importlib.metadata import version
from pathlib import Path

GRADIENTS = (1.0, 1e-4, 1e-8)
NAMES = {  # what the four libraries call a setting
    "η": ("lr", "learning_rate", "learning_rate", "learning_rate_init"),
    "μ": ("momentum",) * 4,
    "ρ": ("alpha", "rho", "decay", None),
    "β1": (None, "beta_1", "b1", "beta_1"),
    "β2": (None, "beta_2", "b2", "beta_2"),
    "ε": ("eps", "epsilon", "eps", "epsilon"),
    "decay": ("weight_decay",) * 3 + ("alpha",),
    "start": ("initial_accumulator_value",) * 3 + (None,),
}
LIBRARIES = ("PyTorch", "Keras", "Optax", "scikit-learn")


def defaults(rules):
    """{rule: {setting: {library: default}}}"""
    found = {}
    for rule, makers in rules.items():
        found[rule] = {name: {} for name in NAMES}
        for k, (library, maker) in enumerate(zip(LIBRARIES, makers, strict=True)):
            signature = inspect.signature(maker).parameters if maker else {}
            for name, names in NAMES.items():
                if names[k] in signature and signature[names[k]].default is not inspect.Parameter.empty:
                    found[rule][name][library] = signature[names[k]].default
        if "betas" in (betas := inspect.signature(makers[0]).parameters):
            found[rule]["β1"]["PyTorch"], found[rule]["β2"]["PyTorch"] = betas["betas"].default
        found[rule] = {name: values for name, values in found[rule].items() if values}
    return found


def main():
    os.environ["KERAS_BACKEND"] = "jax"
    import jax
    import keras
    import numpy as np
    import optax
    import torch
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    torch.set_default_dtype(torch.float64)

    def with_torch(rule, g):
        x = torch.zeros(1, requires_grad=True)
        x.grad = torch.tensor([g])
        rule([x], lr=1.0).step()
        return -x.item()

    def with_keras(rule, g):
        x, rule = keras.Variable(np.zeros(1)), rule(learning_rate=1.0)
        rule.build([x])
        rule.apply_gradients([(jax.numpy.array([g]), x)])
        return -float(x[0])

    def with_optax(rule, g):
        x, rule = jax.numpy.zeros(1), rule(1.0)
        return -float(rule.update(jax.numpy.array([g]), rule.init(x), x)[0][0])

    def with_sklearn(rule, g):
        return -float(rule([np.zeros(1)], learning_rate_init=1.0)._get_updates([np.array([g])])[0][0])

    steps = with_torch, with_keras, with_optax, with_sklearn
    rules = {  # in the order of LIBRARIES
        "SGD": (torch.optim.SGD, keras.optimizers.SGD, optax.sgd, MLPClassifier),
        "AdaGrad": (torch.optim.Adagrad, keras.optimizers.Adagrad, optax.adagrad, None),
        "RMSprop": (torch.optim.RMSprop, keras.optimizers.RMSprop, optax.rmsprop, None),
        "Adam": (torch.optim.Adam, keras.optimizers.Adam, optax.adam, AdamOptimizer),
    }
    first = {
        rule: {
            library: [round(step(maker, g), 4) for g in GRADIENTS]
            for library, step, maker in zip(LIBRARIES, steps, makers, strict=True)
            if maker
        }
        for rule, makers in rules.items()
        if rule != "SGD"
    }
    no, yes = torch.tensor([0.0]), torch.tensor([1.0])
    keras_loss = keras.losses.SparseCategoricalCrossentropy()
    highest = {
        "PyTorch": torch.nn.BCELoss()(no, yes).item(),
        "Keras": float(keras_loss(np.array([1]), np.array([[1.0, 0.0]]))),
        "scikit-learn": log_loss([0, 1], [[0.0, 1.0], [1.0, 0.0]]),
    }
    twice = {C: torch.nn.CrossEntropyLoss()(torch.eye(C), torch.arange(C)).item() for C in (3, 10)}
    rules["AdamW"] = torch.optim.AdamW, keras.optimizers.AdamW, optax.adamw, None
    result = {
        "versions": {name: version(name) for name in ("torch", "keras", "optax", "scikit-learn", "jax", "numpy")},
        "defaults": defaults(rules),
        "first step": first,
        "highest loss": {library: round(loss, 4) for library, loss in highest.items()},
        "softmax twice": {C: round(loss, 4) for C, loss in twice.items()},
    }
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    Path(__file__).with_suffix(".json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
