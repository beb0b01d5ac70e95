"""Exercises of section 1.3.6."""

import numpy as np

from mlcore import SGD, Momentum, Nesterov
from mlcore.teaching.practice import Exercise

ZIGZAG = np.array([[1.0, -4.0], [1.0, 3.0], [0.5, -2.0], [2.0, 0.0], [-1.0, 1.0]])
TINY = np.array([[1e-8, 3e-8], [2e-8, -1e-8], [1e-8, 0.0]])


def bowl(x):
    """The gradient of x1² / 2 + 5 x2²."""
    return np.array([1.0, 10.0]) * x


def ripple(x):
    """The gradient of log cosh x + 0.3 cos 2x, summed over the entries."""
    return np.tanh(x) - 0.6 * np.sin(2 * x)


def positions(update, w, gradients, *settings):
    """How far an update moves w, if it is called for each gradient with the same state; and again from the start.

    Returns None if nothing happens at all.
    """
    w, start, seen, happened = w.copy(), w, {}, False
    for label in ("how far w has moved", "how far w has moved after a new start"):
        w[...], state, path, used = start, {}, [], gradients.copy()
        for gradient in used:
            returned = update(w, gradient, state, *settings)
            path.append(w - start)
            happened = happened or bool(state) or returned not in (None, ...) or path[-1].any()
        seen |= {label: np.array(path), "the gradients afterwards": used}
    return seen if happened else None


class TrueOfRules(Exercise):
    r"""True of the six rules?

    Answer with `True` or `False`.

    - `a`: On a quadratic, gradient descent diverges as soon as $\eta$ exceeds $1/\lambda_{\max}$.
    - `b`: Raising the momentum from 0.9 to 0.99 at the same rate makes the steps on a long even slope ten times as
      long.
    - `c`: Momentum gives each coordinate a rate of its own.
    - `d`: When AdaGrad's steps have become tiny, it has come near a minimum.
    - `e`: If all gradients are multiplied by 1,000, Adam takes (nearly) the same steps.
    - `f`: A network that learns to 98 % shows that the optimizer is right.
    - `g`: On a convex problem Adam reaches the minimum, provided that its rate falls like $1/\sqrt t$.
    """

    level = "recall"
    solution = {
        "a": False,
        "b": True,
        "c": False,
        "d": False,
        "e": True,
        "f": False,
        "g": False,
    }
    worked = r"""
    (a) From there on it oscillates; it diverges from $2/\lambda_{\max}$. (b) The effective step is $\eta/(1-\mu)$. (c)
    One $\eta$ and one $\mu$ for all: turn the axes, and it takes the same path. (d) Its steps shrink like $1/\sqrt t$
    wherever it is. (e) $\hat m$ and $\sqrt{\hat v}$ grow by the same factor. (f) A wrong Nesterov reaches 98 % as well.
    (g) Reddi et al. (2018) made a problem on which it ends at the worst point.
    """
    same = {"a": 1 > 2, "b": 2 > 1, "c": 1 > 2, "d": 1 > 2, "e": 2 > 1, "f": 1 > 2, "g": 1 > 2}
    wrong = {
        "A factor between -1 and 0 changes the sign, but it still shrinks.": solution | {"a": True},
        "What does AdaGrad's sum of squares do on an endless slope?": solution | {"d": True},
        "Which tests did the faulty Nesterov pass?": solution | {"f": True},
        "c: True is not right": solution | {"c": True},
    }


class TwoStepsByHand(Exercise):
    r"""Two steps by hand

    On $f = x^2/2$, whose gradient is $x$, we start at $x = 1$, with $\eta = 0.2$ and $\mu = 0.5$. Where is `momentum`
    after two steps? And where is `nesterov`, in the stored form?
    """

    level = "by hand"
    hint = r"$v \leftarrow \mu v - \eta g$ in both. Then $x \leftarrow x + v$, or $x \leftarrow x + \mu v - \eta g$."
    solution = {
        "momentum": (1 - 0.2) + (0.5 * -0.2 - 0.2 * 0.8),
        "nesterov": (1 - 0.5 * 0.2 - 0.2) + (0.5 * (0.5 * -0.2 - 0.2 * 0.7) - 0.2 * 0.7),
    }
    worked = r"""
    Momentum: $v = -0.2$, $x = 0.8$; then $v = -0.1 - 0.16 = -0.26$, $x = 0.54$. Nesterov: $v = -0.2$,
    $x = 1 - 0.1 - 0.2 = 0.7$; then $v = -0.1 - 0.14 = -0.24$, $x = 0.7 - 0.12 - 0.14 = 0.44$.
    """
    same = {"momentum": 0.54, "nesterov": 0.44}
    wrong = {
        "Without the old velocity this is gradient descent.": solution | {"momentum": 0.64},
        "Nesterov's second equation takes the new velocity, once; this looks ahead twice.": solution
        | {"nesterov": (1 - 0.25 * 0.2 - 1.5 * 0.2) + (0.25 * (-0.1 - 0.13) - 1.5 * 0.2 * 0.65)},
        "nesterov: the number is 0.54, which is too large": solution | {"nesterov": 0.54},
    }


class RatesForValley(Exercise):
    r"""Rates for a valley

    A quadratic has curvatures from 1 to 9. Using the formulas of the chapter, give

    - `limit`: the rate from which gradient descent diverges;
    - `best` and `factor`: its best rate, and the factor by which each step then multiplies the distance;
    - `steps`: the number of such steps after which the distance has fallen below a thousandth;
    - `momentum` and `momentum_factor`: the best $\mu$ of Momentum, and its factor in the long run.
    """

    level = "by hand"
    hint = r"$\sqrt\kappa = 3$."
    solution = {
        "limit": 2 / 9,
        "best": 2 / (1 + 9),
        "factor": (9 - 1) / (9 + 1),
        "steps": int(np.ceil(np.log(1e-3) / np.log(0.8))),
        "momentum": ((3 - 1) / (3 + 1)) ** 2,
        "momentum_factor": (3 - 1) / (3 + 1),
    }
    worked = r"""
    $2/\lambda_{\max} = 0.222$; $2/(\lambda_{\min} + \lambda_{\max}) = 0.2$, where both ends have the factor
    $1 - 0.2 = 0.8$; $\ln 0.001/\ln 0.8 = 30.96$, so 31 steps. With $\kappa = 9$: $\sqrt\mu = 2/4$, so $\mu = 0.25$, and
    the factor is $\sqrt\mu = 0.5$.
    """
    same = {"limit": 0.222, "best": 0.2, "factor": 0.8, "steps": 31, "momentum": 0.25, "momentum_factor": 0.5}
    wrong = {
        "The largest curvature diverges first.": solution | {"limit": 2.0},
        "From 1/9 on it oscillates, and still converges.": solution | {"limit": 1 / 9},
        "momentum: 2 times too large": solution | {"momentum": 0.5},
        "momentum_factor: ": solution | {"momentum_factor": 0.25},
    }


class AdamByHand(Exercise):
    r"""Adam by hand

    The first two gradients are 1 and 3; $\eta = 0.1$, $\beta_1 = 0.9$, $\beta_2 = 0.999$; $\epsilon$ may be neglected.
    How long are the `first` and the `second` step? And how long would the first be without the correction
    (`uncorrected`)?
    """

    level = "by hand"
    solution = {
        "first": 0.1,
        "second": 0.1 * (0.9 * 0.1 + 0.1 * 3) / (1 - 0.9**2) / np.sqrt((0.999 * 0.001 + 0.001 * 9) / (1 - 0.999**2)),
        "uncorrected": 0.1 * 0.1 / np.sqrt(0.001),
    }
    worked = r"""
    First: $\hat m = 0.1/0.1 = 1$, $\hat v = 1$. Second: $m = 0.09 + 0.3 = 0.39$ and $v = 0.000999 + 0.009 = 0.009999$;
    with $1 - 0.9^2 = 0.19$ and $1 - 0.999^2 = 0.001999$, $\hat m = 2.053$ and $\hat v = 5.002$, a step of
    $0.1 \cdot 2.053/2.237 = 0.0918$. Uncorrected: $0.1 \cdot 0.1/\sqrt{0.001} = 0.316$.
    """
    same = {"first": 0.1, "second": 0.0918, "uncorrected": 0.316}
    wrong = {
        "Adam's steps do not grow with the gradient.": solution | {"second": 0.3},
        "The corrections change with every step: here t is 2.": solution
        | {"second": 0.1 * 0.39 / 0.1 / np.sqrt(0.009999 / 0.001)},
        "uncorrected: ": solution | {"uncorrected": 0.01},
    }


class MomentumInPlace(Exercise):
    r"""Momentum, in place

    Write Momentum for one array: change `w` itself, and keep the velocity in the dict `state`, which is empty before
    the first call and is the same dict at every call. The gradient belongs to the caller and must stay as it is.
    """

    level = "implement"
    hint = '`state.get("v", 0.0)` is the velocity, or 0 if there is none yet.'
    inputs = [
        (np.array([1.0, 2.0]), ZIGZAG, 0.1, 0.9),
        (np.array([[0.5, -0.5]]), ZIGZAG[:, np.newaxis], 0.01, 0.5),
        (np.array([3.0, -1.0]), ZIGZAG, 0.3, 0.0),
    ]

    def solution(w, gradient, state, lr, momentum):
        """Move w one step by Momentum, in place."""
        state["v"] = momentum * state.get("v", 0.0) - lr * gradient
        w += state["v"]

    worked = """
    `w += ...` writes into the array that the layer holds; `w = w + ...` would make a new one that nobody sees. The
    velocity must outlive the call, so it is kept in the state; a global variable would be shared by all arrays.
    """

    @classmethod
    def run(cls, answer, w, gradients, lr, momentum):
        return positions(answer, w, gradients, lr, momentum)

    def same(w, gradient, state, lr, momentum):
        u = state.setdefault("u", np.zeros_like(w))
        u *= momentum
        u += gradient
        w[...] = w - lr * u

    def old_velocity(w, gradient, state, lr, momentum):
        w += state.get("v", 0.0)
        state["v"] = momentum * state.get("v", 0.0) - lr * gradient

    def average(w, gradient, state, lr, momentum):
        state["v"] = momentum * state.get("v", 0.0) - lr * (1 - momentum) * gradient
        w += state["v"]

    def uphill(w, gradient, state, lr, momentum):
        state["v"] = momentum * state.get("v", 0.0) + lr * gradient
        w += state["v"]

    def in_the_gradient(w, gradient, state, lr, momentum):
        gradient *= -lr
        gradient += momentum * state.get("v", 0.0)
        state["v"] = gradient
        w += gradient

    def shared_by_all(w, gradient, state, lr, momentum, of_all={}):  # noqa: B006  the same dict at every call
        of_all["v"] = momentum * of_all.get("v", 0.0) - lr * gradient
        w += of_all["v"]

    def new_array(w, gradient, state, lr, momentum):
        state["v"] = momentum * state.get("v", 0.0) - lr * gradient
        w = w + state["v"]
        return w

    wrong = {
        "w itself does not move: w = w + ... is a new array.": new_array,
        "The step is taken with the new velocity.": old_velocity,
        "This is an average of gradients; here they are summed: no factor 1 - momentum.": average,
        "The velocity must point downhill.": uphill,
        "the gradients afterwards": in_the_gradient,
        "how far w has moved": shared_by_all,
    }


class LookAhead(Exercise):
    r"""Look ahead

    Write Nesterov's rule in its original form, not in the stored one: $v \leftarrow \mu v - \eta\,\nabla f(\vartheta +
    \mu v)$, $\vartheta \leftarrow \vartheta + v$, with $v = 0$ at the start. Return the points $\vartheta + \mu v$
    after each of the steps, as an array of shape (steps, D). These are the points that `mlcore.Nesterov` stores.
    """

    level = "implement"
    inputs = [
        (bowl, np.array([1.0, -2.0]), 0.1, 0.9, 4),
        (ripple, np.array([3.0, -1.0, 0.5]), 0.2, 0.5, 5),
        (bowl, np.array([-1.0, 0.5]), 0.05, 0.0, 2),
    ]

    def solution(gradient, x, lr, momentum, steps):
        """Return the look-ahead points (steps, D) on the way from x (D,)."""
        v, points = np.zeros_like(x), []
        for _ in range(steps):
            v = momentum * v - lr * gradient(x + momentum * v)
            x = x + v
            points.append(x + momentum * v)
        return np.array(points)

    worked = """
    A second formulation like this one exposes a wrong Nesterov. It needs the gradient at a point where the parameters
    are not, so no network could use it, but a test can.
    """

    def same(gradient, x, lr, momentum, steps):
        x, optimizer, points = x.copy(), Nesterov(lr, momentum), []
        for _ in range(steps):
            optimizer.update([x], [gradient(x)])
            points.append(x.copy())
        return points

    def positions_only(gradient, x, lr, momentum, steps):
        v, points = np.zeros_like(x), []
        for _ in range(steps):
            v = momentum * v - lr * gradient(x + momentum * v)
            x = x + v
            points.append(x)
        return np.array(points)

    def heavy_ball(gradient, x, lr, momentum, steps):
        v, points = np.zeros_like(x), []
        for _ in range(steps):
            v = momentum * v - lr * gradient(x)
            x = x + v
            points.append(x + momentum * v)
        return np.array(points)

    def one_array(gradient, x, lr, momentum, steps):
        v, points = np.zeros_like(x), []
        for _ in range(steps):
            v = momentum * v - lr * gradient(x + momentum * v)
            x += v
            points.append(x + momentum * v)
        return np.array(points)

    def with_start(gradient, x, lr, momentum, steps):
        return np.array([x, *LookAhead.solution(gradient, x, lr, momentum, steps)])

    wrong = {
        "Leave out the start: only the points after the steps are wanted.": with_start,
        "These are the points themselves; the ones ahead of them are wanted.": positions_only,
        "The gradient is taken ahead, at the place to which the velocity leads.": heavy_ball,
        "x itself is changed": one_array,
    }


class AdamStep(Exercise):
    r"""Adam for many arrays

    Write Algorithm 1 of Adam for a list of arrays, each changed in place. `m` and `v` are lists of arrays of the same
    shapes, zero at first and also to be changed in place; the gradients must stay as they are; `t` is 1 at the first
    call. Take $\beta_1 = 0.9$,
    $\beta_2 = 0.999$, $\epsilon = 10^{-8}$.
    """

    level = "implement"
    inputs = [
        ([np.array([1.0, -2.0]), np.array([[0.5]])], [np.array([0.3, -4.0]), np.array([[1e-8]])], 0.1, 3),
        ([np.array([0.1, 0.2, 0.3])], [np.array([1e3, 0.0, -1e-3])], 0.01, 4),
    ]

    def solution(params, grads, m, v, t, lr):
        """Move all params one step by Adam, in place; the first has t = 1."""
        for w, g, m_w, v_w in zip(params, grads, m, v, strict=True):
            m_w[...] = 0.9 * m_w + 0.1 * g
            v_w[...] = 0.999 * v_w + 0.001 * g**2
            m_hat, v_hat = m_w / (1 - 0.9**t), v_w / (1 - 0.999**t)
            w -= lr * m_hat / (np.sqrt(v_hat) + 1e-8)

    worked = r"""
    Both averages, both corrections, one step. The corrected ones are new arrays: divided in place, the averages
    themselves would be spoilt for the next step. $\epsilon$ is added to $\sqrt{\hat v}$, outside the root.
    """

    @classmethod
    def run(cls, answer, params, grads, lr, steps):
        held = {"params": [w.copy() for w in params], "m": [0 * w for w in params], "v": [0 * w for w in params]}
        used = [[g / t for g in grads] for t in range(1, steps + 1)]
        for t, gradients in enumerate(used, start=1):
            returned = answer([*held["params"]], [*gradients], [*held["m"]], [*held["v"]], t, lr)
        moved = any((w != start).any() for w, start in zip(held["params"], params, strict=True))
        if returned in (None, ...) and not moved and not any(average.any() for average in held["m"] + held["v"]):
            return None
        seen = {f"{name}[{i}]": array for name, arrays in held.items() for i, array in enumerate(arrays)}
        return seen | {"the gradients afterwards": used}

    def same(params, grads, m, v, t, lr):
        for i, g in enumerate(grads):
            m[i] += (g - m[i]) / 10
            v[i] += (g * g - v[i]) / 1000
            size = np.sqrt(v[i] / (1 - 0.999**t)) + 1e-8
            params[i] += -lr / (1 - 0.9**t) * m[i] / size

    def uncorrected(params, grads, m, v, t, lr):
        for w, g, m_w, v_w in zip(params, grads, m, v, strict=True):
            m_w[...] = 0.9 * m_w + 0.1 * g
            v_w[...] = 0.999 * v_w + 0.001 * g**2
            w -= lr * m_w / (np.sqrt(v_w) + 1e-8)

    def spoilt(params, grads, m, v, t, lr):
        for w, g, m_w, v_w in zip(params, grads, m, v, strict=True):
            m_w[...] = (0.9 * m_w + 0.1 * g) / (1 - 0.9**t)
            v_w[...] = (0.999 * v_w + 0.001 * g**2) / (1 - 0.999**t)
            w -= lr * m_w / (np.sqrt(v_w) + 1e-8)

    def inside(params, grads, m, v, t, lr):
        for w, g, m_w, v_w in zip(params, grads, m, v, strict=True):
            m_w[...] = 0.9 * m_w + 0.1 * g
            v_w[...] = 0.999 * v_w + 0.001 * g**2
            w -= lr * m_w / (1 - 0.9**t) / np.sqrt(v_w / (1 - 0.999**t) + 1e-8)

    def new_averages(params, grads, m, v, t, lr):
        for i, g in enumerate(grads):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g**2
            params[i] -= lr * m[i] / (1 - 0.9**t) / (np.sqrt(v[i] / (1 - 0.999**t)) + 1e-8)

    def new_params(params, grads, m, v, t, lr):
        for w, g, m_w, v_w in zip(params, grads, m, v, strict=True):
            m_w[...] = 0.9 * m_w + 0.1 * g
            v_w[...] = 0.999 * v_w + 0.001 * g**2
            w = w - lr * m_w / (1 - 0.9**t) / (np.sqrt(v_w / (1 - 0.999**t)) + 1e-8)

    wrong = {
        "The averages that you were given must change; = alone only puts a new array into the list.": new_averages,
        "The parameters do not move: w = w - ... is a new array.": new_params,
        "The averages start at 0, and that is to be corrected.": uncorrected,
        "The correction must not be written back into the averages.": spoilt,
        "eps is added outside the root.": inside,
    }


class ForgottenVelocity(Exercise):
    r"""The forgotten velocity

    Whatever the momentum, this rule behaves exactly like gradient descent. Fix it.
    """

    level = "debug"
    hint = "What does the second call know of the first?"
    inputs = [
        (np.array([1.0, 2.0]), ZIGZAG, 0.1, 0.9),
        (np.array([0.0, -1.0]), ZIGZAG, 0.05, 0.5),
    ]

    def given(w, gradient, state, lr, momentum):
        """Move w one step by Momentum, in place."""
        v = np.zeros_like(w)
        v = momentum * v - lr * gradient
        w += v

    def solution(w, gradient, state, lr, momentum):
        """Move w one step by Momentum, in place."""
        v = state.setdefault("v", np.zeros_like(w))
        v *= momentum
        v -= lr * gradient
        w += v

    worked = """
    The velocity was created again at every call. Created once and changed in place, it lives on in the state. (With
    classes, the same fault is a new optimizer for each batch.)
    """

    @classmethod
    def run(cls, answer, w, gradients, lr, momentum):
        return positions(answer, w, gradients, lr, momentum)

    def same(w, gradient, state, lr, momentum):
        state["v"] = momentum * state.get("v", 0.0) - lr * gradient
        w += state["v"]

    def no_friction(w, gradient, state, lr, momentum):
        state["v"] = state.get("v", 0.0) - lr * gradient
        w += state["v"]

    def shared(w, gradient, state, lr, momentum):
        v = state.setdefault("v", w)
        v *= momentum
        v -= lr * gradient
        w += v

    wrong = {
        "The old velocity is to be multiplied by the momentum.": no_friction,
        "The velocity is w itself here: it needs an array of its own.": shared,
    }


class NotInPlace(Exercise):
    r"""Nothing moves

    A training loop calls this update thousands of times, without any error, and the loss never changes. Fix the update.
    """

    level = "debug"
    hint = "Which array does the layer hold after the assignment?"
    inputs = [
        ([np.array([1.0, 2.0]), np.array([[3.0]])], [np.array([0.5, -0.5]), np.array([[1.0]])], 0.1),
        ([np.array([-1.0])], [np.array([2.0])], 0.5),
    ]

    def given(params, grads, lr):
        """Move all params one step by gradient descent, in place."""
        for param, grad in zip(params, grads, strict=True):
            param = param - lr * grad

    def solution(params, grads, lr):
        """Move all params one step by gradient descent, in place."""
        for param, grad in zip(params, grads, strict=True):
            param -= lr * grad

    worked = """
    `param - lr * grad` is a new array, and the assignment only gives it the *name* `param`. `-=` writes into the array
    itself, which the layer holds as well. Putting new arrays into the list is not enough either: the layer would still
    hold the old ones.
    """

    @classmethod
    def run(cls, answer, params, grads, lr):
        layer = [param.copy() for param in params]  # the arrays that the layers hold
        answer([*layer], grads, lr)
        return {f"the array {i} of the layer": array for i, array in enumerate(layer)}

    def same(params, grads, lr):
        for i in range(len(params)):
            params[i][...] = params[i] - lr * grads[i]

    def new_arrays(params, grads, lr):
        for i in range(len(params)):
            params[i] = params[i] - lr * grads[i]

    def wrong_way(params, grads, lr):
        for param, grad in zip(params, grads, strict=True):
            param += lr * grad

    wrong = {
        "the array 0 of the layer: ": new_arrays,
        "This goes uphill.": wrong_way,
    }


class SummingRmsprop(Exercise):
    r"""Slower and slower

    This RMSprop starts well and then gets slower and slower, even where the gradient stays the same. Fix it.
    """

    level = "debug"
    inputs = [
        (np.array([1.0, 2.0]), ZIGZAG, 0.1, 0.9),
        (np.array([0.0, 0.0]), np.ones((8, 2)), 0.01, 0.5),
    ]

    def given(w, gradient, state, lr, decay_rate):
        """Move w one step by RMSprop, in place."""
        h = state["h"] = state.get("h", 0.0) + (1 - decay_rate) * gradient**2
        w -= lr * gradient / (np.sqrt(h) + 1e-8)

    def solution(w, gradient, state, lr, decay_rate):
        """Move w one step by RMSprop, in place."""
        h = state["h"] = decay_rate * state.get("h", 0.0) + (1 - decay_rate) * gradient**2
        w -= lr * gradient / (np.sqrt(h) + 1e-8)

    worked = r"""
    Without the factor $\rho$ the old squares never fade: a sum, as in AdaGrad, only with a smaller share of each
    square. With a constant gradient its steps fall like $1/\sqrt t$; those of the right rule approach $\eta$.
    """

    @classmethod
    def run(cls, answer, w, gradients, lr, decay_rate):
        return positions(answer, w, gradients, lr, decay_rate)

    def same(w, gradient, state, lr, decay_rate):
        h = state.setdefault("h", np.zeros_like(w))
        h += (1 - decay_rate) * (gradient**2 - h)
        w += -lr * gradient / (h**0.5 + 1e-8)

    def swapped(w, gradient, state, lr, decay_rate):
        h = state["h"] = (1 - decay_rate) * state.get("h", 0.0) + decay_rate * gradient**2
        w -= lr * gradient / (np.sqrt(h) + 1e-8)

    def growing(w, gradient, state, lr, decay_rate):
        h = state["h"] = decay_rate * state.get("h", 0.0) + gradient**2
        w -= lr * gradient / (np.sqrt(h) + 1e-8)

    wrong = {
        "decay_rate is the share of the old squares, 1 - decay_rate that of the new one.": swapped,
        "The shares of an average add up to 1.": growing,
    }


class ClockAtZero(Exercise):
    r"""nan after one step

    After its first step this Adam has made every parameter nan. Fix it.
    """

    level = "debug"
    hint = "What is `1 - 0.9**0`?"
    inputs = [
        (np.array([1.0, 2.0]), np.abs(ZIGZAG) + 0.5, 0.1),
        (np.array([-1.0, 0.5]), 10 * np.abs(ZIGZAG[::-1]) + 1, 0.01),
    ]

    def given(w, gradient, state, lr):
        """Move w one step by Adam, in place."""
        t = state.get("t", 0)
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        w -= lr * m_hat / (np.sqrt(v_hat) + 1e-8)
        state["t"] = t + 1

    def solution(w, gradient, state, lr):
        """Move w one step by Adam, in place."""
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        w -= lr * m_hat / (np.sqrt(v_hat) + 1e-8)

    worked = r"""
    The first step has $t = 1$. With $t = 0$ the correction is $1 - 1 = 0$, both averages become infinite, and their
    quotient is nan. Counting *before* the correction is the cure. Replacing nan by 0 would hide the fault: then
    every correction would come one step too late.
    """

    @classmethod
    def run(cls, answer, w, gradients, lr):
        return positions(answer, w, gradients, lr)

    def same(w, gradient, state, lr):
        state["t"] = t = state.setdefault("t", 0) + 1
        m = state.setdefault("m", np.zeros_like(w))
        v = state.setdefault("v", np.zeros_like(w))
        m += 0.1 * (gradient - m)
        v += 0.001 * (gradient**2 - v)
        w -= lr / (1 - 0.9**t) * m / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    def from_two(w, gradient, state, lr):
        t = state["t"] = state.get("t", 1) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        w -= lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    def first_step_lost(w, gradient, state, lr):
        t = state.get("t", 0)
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        if t > 0:
            w -= lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        state["t"] = t + 1

    def always_one(w, gradient, state, lr):
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        w -= lr * m / 0.1 / (np.sqrt(v / 0.001) + 1e-8)

    wrong = {
        "Now the first step counts as the second.": from_two,
        "The first step is left out, and all corrections still come one step late.": first_step_lost,
        "The correction has to fade while t grows.": always_one,
        "Python warns": given,
    }


class EpsHat(Exercise):
    r"""Too slow for tiny gradients

    This is Adam with both corrections moved into the rate. For ordinary gradients it agrees with Algorithm 1; for
    gradients of $10^{-8}$ its first step is sixteen times too short. Fix it, for any `eps`.
    """

    level = "debug"
    hint = r"In Algorithm 1, $\epsilon$ is added to $\sqrt{\hat v}$. To what is it added here?"
    inputs = [
        (np.array([1.0, 2.0]), ZIGZAG, 0.1, 1e-8),
        (np.array([0.5, -1.0]), TINY, 0.01, 1e-8),
        (np.array([0.0, 0.0]), TINY, 0.01, 1e-3),  # from 0, as the steps are tiny
    ]

    def given(w, gradient, state, lr, eps):
        """Move w one step by Adam, in place."""
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        rate = lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w -= rate * m / (np.sqrt(v) + eps)

    def solution(w, gradient, state, lr, eps):
        """Move w one step by Adam, in place."""
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        w -= lr * m_hat / (np.sqrt(v_hat) + eps)

    worked = r"""
    Divided by $\sqrt{1-\beta_2^t}$, the divisor of the quick form is $\sqrt{\hat v} + \epsilon/\sqrt{1-\beta_2^t}$: an
    $\epsilon$ that is 32 times too large at first. The quick form is right with $\hat\epsilon =
    \epsilon\sqrt{1-\beta_2^t}$.
    """

    @classmethod
    def run(cls, answer, w, gradients, lr, eps):
        return positions(answer, w, gradients, lr, eps)

    def same(w, gradient, state, lr, eps):
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        root = np.sqrt(1 - 0.999**t)
        w -= lr * root / (1 - 0.9**t) * m / (np.sqrt(v) + eps * root)

    def inside(w, gradient, state, lr, eps):
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        w -= lr * m / (1 - 0.9**t) / np.sqrt(v / (1 - 0.999**t) + eps)

    def without(w, gradient, state, lr, eps):
        EpsHat.solution(w, gradient, state, lr, 1e-30)

    wrong = {
        "Under the root, eps counts as its own root, which is far larger.": inside,
        "eps may not simply be left out.": without,
    }


class SharedTwice(Exercise):
    r"""Moved twice

    Two layers share one weight array, so it occurs twice in `params`, with one gradient for each place. This Adam moves
    it twice. Fix it: each array has to be moved once, using the sum of its gradients. The state of an array may be kept
    under any key.
    """

    level = "debug"
    hint = "`id(w)` is the same number for the same array. Add up first, then update."
    inputs = [
        (["a", "b"], {"a": np.array([1.0, 2.0]), "b": np.array([0.5])}, 0.1),
        (["a", "b", "a"], {"a": np.array([1.0, 2.0]), "b": np.array([0.5])}, 0.1),
        (["a", "a", "a"], {"a": np.array([[3.0, -1.0]])}, 0.01),
        (["a", "b", "a"], {"a": np.array([1.0, 2.0]), "b": np.array([1.0, 2.0])}, 0.1),  # equal, but not the same
    ]

    def given(params, grads, state, lr):
        """Move all params one step by Adam, in place."""
        t = state["t"] = state.get("t", 0) + 1
        for i, (w, g) in enumerate(zip(params, grads, strict=True)):
            m, v = state.get(i, (0.0, 0.0))
            m, v = state[i] = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w -= lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    def solution(params, grads, state, lr):
        """Move all params one step by Adam, in place."""
        t = state["t"] = state.get("t", 0) + 1
        arrays, sums = {}, {}
        for w, g in zip(params, grads, strict=True):
            arrays[id(w)] = w
            sums[id(w)] = sums.get(id(w), 0.0) + g
        for i, w in arrays.items():
            m, v = state.get(i, (0.0, 0.0))
            m, v = state[i] = 0.9 * m + 0.1 * sums[i], 0.999 * v + 0.001 * sums[i] ** 2
            w -= lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    worked = """
    The gradient of a weight that is used twice is the sum of both. With SGD the fault never shows: a step for each is
    one for the sum. Adam divides each gradient by its own size: two visits are two full steps. Comparing with `==`
    would take two *equal* arrays for one; `id` and `is` ask whether it is the same array.
    """

    @classmethod
    def run(cls, answer, names, arrays, lr):
        arrays, state = {name: w.copy() for name, w in arrays.items()}, {}
        params, rng = [arrays[name] for name in names], np.random.default_rng(0)
        used = [[rng.standard_normal(w.shape) for w in params] for _ in range(3)]
        for grads in used:
            answer([*params], [*grads], state, lr)
        return arrays | {"the gradients afterwards": used}

    def same(params, grads, state, lr):
        t = state["t"] = state.get("t", 0) + 1
        for i, w in enumerate(params):
            places = [k for k, other in enumerate(params) if other is w]
            if places[0] == i:
                g = sum(grads[k] for k in places)
                m, v = state.get(i, (0.0, 0.0))
                m, v = state[i] = m + (g - m) / 10, v + (g * g - v) / 1000
                w -= lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    def equal_arrays(params, grads, state, lr):
        t = state["t"] = state.get("t", 0) + 1
        for i, w in enumerate(params):
            places = [k for k, other in enumerate(params) if np.array_equal(other, w)]
            if places[0] == i:
                g = sum(grads[k] for k in places)
                m, v = state.get(i, (0.0, 0.0))
                m, v = state[i] = m + (g - m) / 10, v + (g * g - v) / 1000
                w -= lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    def last_only(params, grads, state, lr):
        pairs = {id(w): (w, g) for w, g in zip(params, grads, strict=True)}
        SharedTwice.given([w for w, _ in pairs.values()], [g for _, g in pairs.values()], state, lr)

    def one_state(params, grads, state, lr):
        t = state["t"] = state.get("t", 0) + 1
        for w, g in zip(params, grads, strict=True):
            m, v = state.get(id(w), (0.0, 0.0))
            m, v = state[id(w)] = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w -= lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    wrong = {
        "The gradients of the other places are lost: add them.": last_only,
        "Now both places share one state, but the array is still moved twice.": one_state,
        "Two arrays with the same numbers are still two arrays.": equal_arrays,
    }


class SameEffectiveStep(Exercise):
    r"""Other settings, same pace

    A network trains well with Momentum, $\eta = 0.05$ and $\mu = 0.9$. Give

    - `sgd`: the rate with which plain SGD has the same effective step;
    - `calmer`: the rate with which Momentum with $\mu = 0.99$ has it;
    - `average`: the rate for a library whose velocity is an *average*, $v \leftarrow \mu v + (1-\mu)\,g$,
      $\theta \leftarrow \theta - \eta v$, at $\mu = 0.9$;
    - `noise`: the factor by which the spread around the minimum changes if the batches become four times as large and
      nothing else changes.
    """

    level = "transfer"
    solution = {
        "sgd": 0.05 / (1 - 0.9),
        "calmer": 0.05 / (1 - 0.9) * (1 - 0.99),
        "average": 0.05 / (1 - 0.9),
        "noise": 1 / 2,
    }
    worked = r"""
    The effective step is $\eta/(1-\mu) = 0.5$. SGD: 0.5. With $\mu = 0.99$: $0.5 \cdot 0.01 = 0.005$. In an average the
    shares add up to 1, so the rate itself is the effective step: 0.5. The mean of four times as many examples has half
    the standard deviation, and the spread is proportional to it.
    """
    same = {"sgd": 0.5, "calmer": 0.005, "average": 0.5, "noise": 0.5}
    wrong = {
        "More momentum needs a smaller rate.": solution | {"calmer": 0.5},
        "The average has shares that add up to 1: its rate is the effective step.": solution | {"average": 0.05},
        "Variance falls with the batch size, the spread with its root.": solution | {"noise": 0.25},
    }


class WhichTestConvicts(Exercise):
    r"""Which test notices?

    An Adam uses `beta1` instead of `beta2`, in the *correction* of $v$ only. Which of these tests notice it? Answer
    `True` or `False`.

    - `accuracy`: it trains a network on the digits to 97 %;
    - `first`: the first step has the length $\eta$ for any gradient;
    - `scale`: gradients multiplied by 1,000 give the same path;
    - `known`: the sixth step from a given state agrees with a published array.
    """

    level = "transfer"
    hint = r"At $t = 1$, the right correction divides $v$ by 0.001. By what does the wrong one?"
    solution = {"accuracy": False, "first": True, "scale": False, "known": True}
    worked = r"""
    The first step becomes $\eta/\sqrt{0.001/0.1} = 10\,\eta$, so `first` notices it, and so does any known answer. All
    steps are too long by a factor that fades, which does no harm to a network on easy data; and $\hat m/\sqrt{\hat v}$
    is as independent of the scale as before.
    """
    same = {"accuracy": np.False_, "first": np.True_, "scale": np.False_, "known": np.True_}
    wrong = {
        "A network on easy data also trains with steps that are too long.": solution | {"accuracy": True},
        "Numerator and denominator still grow by the same factor.": solution | {"scale": True},
        "first: False is not right": solution | {"first": False},
    }


class WeightDecay(Exercise):
    r"""Penalty or weight decay

    Weights are to shrink a little in each step, $\lambda = 0.1$, with Adam at $\eta = 0.01$. Either $\lambda w$ is
    added to the gradient (`l2`), or Adam gets the plain gradient, and $\eta\lambda w$ is subtracted from the weight in
    addition to its step (`decoupled`). The loss does not depend on $w$, so its gradient is 0. How far does the first
    step move $w = 2$, and how far $w = 0.05$, in each case? Give both as (for 2, for 0.05), positive towards 0.
    """

    level = "transfer"
    hint = "How long is Adam's first step, whatever the gradient?"
    solution = {"l2": (0.01, 0.01), "decoupled": (0.01 * 0.1 * 2, 0.01 * 0.1 * 0.05)}
    worked = r"""
    As a part of the gradient, $\lambda w$ is divided by its own size: a step of $\eta = 0.01$ for each weight, large
    or small, and $\lambda$ does not matter at all. Decoupled, each weight shrinks in proportion to its size: by 0.002
    and 0.00005. That is why libraries have a separate rule for it, called AdamW.
    """
    same = {"l2": [0.01, 0.01], "decoupled": [0.002, 0.00005]}
    wrong = {
        "Adam divides a gradient by its size, even one that comes from the penalty.": solution
        | {"l2": (0.002, 0.00005)},
        "decoupled: 10 times too large": solution | {"decoupled": (0.02, 0.0005)},
    }


class LargestRate(Exercise):
    r"""The largest rate, measured

    `rule(lr)` makes an optimizer, such as `Momentum` or `Nesterov`. Write a function that finds, to about 1 %, the
    largest rate at which it still converges on $x^2/2$, whose gradient is $x$. Try rates between 0 and 8, and halve the
    interval.
    """

    level = "transfer"
    hint = "Start at 1 and take a few hundred steps. Is it then farther from 0 than it was, or nearer?"
    within = 0.02
    inputs = [(SGD,), (Momentum,), (Nesterov,)]

    def solution(rule):
        """Return the largest rate at which rule(lr) converges on x²/2."""
        low, high = 0.0, 8.0
        while high - low > 0.01:
            lr = (low + high) / 2
            x, optimizer = np.array([1.0]), rule(lr)
            for _ in range(200):
                optimizer.update([x], [x])
            low, high = (lr, high) if abs(x[0]) < 1 else (low, lr)
        return low

    worked = r"""
    The three limits are those of the chapter, for $\lambda = 1$ and $\mu = 0.9$: 2, $2(1+\mu) = 3.8$, and
    $2(1+\mu)/(1+2\mu) = 1.357$. Close to the limit both convergence and divergence are slow, so only the comparison
    with the start tells them apart after a few hundred steps. For nan `abs(x) < 1` is False, as it should be.
    """

    def same(rule):
        lr, x = 1.0, 0.0
        while abs(x) < 1:
            lr *= 1.01
            theta, optimizer = np.ones(1), rule(lr)
            for _ in range(150):
                optimizer.update([theta], [theta])
            x = theta.item()
        return lr / 1.005

    def one_step(rule):
        low, high = 0.0, 8.0
        while high - low > 0.01:
            lr = (low + high) / 2
            x = np.array([1.0])
            rule(lr).update([x], [x])
            low, high = (lr, high) if abs(x[0]) < 1 else (low, lr)
        return low

    def used_optimizer(rule):
        low, high, optimizer = 0.0, 8.0, rule(0.1)
        while high - low > 0.01:
            optimizer.lr = lr = (low + high) / 2
            x = np.array([1.0])
            for _ in range(200):
                optimizer.update([x], [x])
            low, high = (lr, high) if abs(x[0]) < 1 else (low, lr)
        return low

    def no_overshoot(rule):
        low, high = 0.0, 8.0
        while high - low > 0.01:
            lr = (low + high) / 2
            x, optimizer, lowest = np.array([1.0]), rule(lr), 0.0
            for _ in range(200):
                optimizer.update([x], [x])
                lowest = min(lowest, x[0])
            low, high = (lr, high) if lowest > -0.01 else (low, lr)
        return low

    wrong = {
        "One step is not the long run: the velocity is only beginning.": one_step,
        "Each trial needs a new optimizer: this one still has the velocity of the last.": used_optimizer,
        "To overshoot is not to diverge.": no_overshoot,
    }


class TrueOfSteps(Exercise):
    r"""Sampling, moments, preconditioning

    Answer with `True` or `False`.

    - `a`: A step against the gradient lowers the loss, however long it is.
    - `b`: In an epoch of $N$ draws with replacement, about 37 % of the examples are not drawn at all.
    - `c`: Adam's $\hat v$ estimates the variance of the gradient.
    - `d`: On a quadratic with $\kappa = 1000$, one step of Newton's method arrives at the minimum.
    - `e`: Dividing each coordinate's gradient by that coordinate's own curvature makes every quadratic valley round.
    - `f`: AdaGrad's steps die out, so on an endless slope there is a point that it never passes.
    """

    level = "recall"
    solution = {"a": False, "b": True, "c": False, "d": True, "e": False, "f": False}
    worked = r"""
    (a) Only a small enough one: the second-order term grows with $\eta^2$. (b) Each is missed with probability
    $(1 - 1/N)^N \approx 1/e$. (c) The second moment: no mean is subtracted. (d) $H^{-1} g$ leads all the way, whatever
    $\kappa$. (e) Only one that lies along the axes; turned by 45°, it stays as narrow as it was. (f) The sum of
    $1/\sqrt t$ is about $2\sqrt T$ and has no bound.
    """
    same = {"a": 1 > 2, "b": 2 > 1, "c": 1 > 2, "d": 2 > 1, "e": 1 > 2, "f": 1 > 2}
    wrong = {
        "What does the second-order term of Taylor's formula do as the step grows?": solution | {"a": True},
        "Small steps can add up to any distance: what is the sum of them?": solution | {"f": True},
        "A variance is a mean of squares minus something.": solution | {"c": True},
        "e: True is not right": solution | {"e": True},
    }


class PromisedAndTrue(Exercise):
    r"""What the first order promises

    $f = \tfrac12 x_1^2 + 2 x_2^2$, at the point $(1, 1)$.

    - `promised`: the change of $f$ that the gradient alone promises for a step of gradient descent with $\eta = 0.1$;
    - `true`: the change that really comes;
    - `limit`: the rate at which a step from here ends just as high as it began;
    - `newton`: the change of $f$ by one step of Newton's method.
    """

    level = "by hand"
    hint = (
        r"With two terms of Taylor's formula a quadratic is exact: $-\eta\,g \cdot g + \tfrac12 \eta^2\, g \cdot Hg$."
    )
    solution = {
        "promised": -0.1 * (1 + 16),
        "true": -0.1 * (1 + 16) + 0.5 * 0.1**2 * (1 + 4 * 16),
        "limit": 2 * 17 / 65,
        "newton": -(0.5 + 2),
    }
    worked = r"""
    $g = (1, 4)$ and $H$ has 1 and 4 on its diagonal, so $g \cdot g = 17$ and $g \cdot Hg = 1 + 4 \cdot 16 = 65$.
    Promised: $-1.7$. True: $-1.7 + 0.005 \cdot 65 = -1.375$. Both terms cancel at $\eta = 2 \cdot 17/65 = 0.523$.
    Newton's step leads to the minimum, from height 2.5 to 0.
    """
    same = {"promised": -1.7, "true": -1.375, "limit": 0.523, "newton": -2.5}
    wrong = {
        "The second-order term has a factor of one half.": solution | {"true": -1.7 + 0.65},
        "That is where the step lowers f most; it breaks even at twice that rate.": solution | {"limit": 17 / 65},
        "promised: the sign is wrong": solution | {"promised": 1.7},
    }


class FarOnSmallSteps(Exercise):
    r"""Far on small steps

    On an endless slope with the same gradient everywhere, AdaGrad with $\eta = 0.1$ has made 2,500 steps. Take
    $2\sqrt T$ for the sum of $1/\sqrt t$ from 1 to $T$.

    - `last`: how long was the last step?
    - `far`: how far has it come?
    - `steps`: how many steps, from the start, does it take to come twice as far?
    - `rmsprop`: how far would RMSprop have come in 2,500 steps at this rate, if its average had been right from the
      first step?
    """

    level = "by hand"
    solution = {"last": 0.1 / 50, "far": 0.1 * 2 * 50, "steps": 4 * 2500, "rmsprop": 0.1 * 2500}
    worked = r"""
    $0.1/\sqrt{2500} = 0.002$, and $0.1 \cdot 2 \cdot 50 = 10$. The distance grows like $\sqrt T$, so twice the distance
    takes four times the steps, 10,000. RMSprop's steps stay $\eta$ long: 250.
    """
    same = {"last": 0.002, "far": 10, "steps": 10000, "rmsprop": 250}
    wrong = {
        "The distance grows like the root of the number of steps.": solution | {"steps": 5000},
        "The steps were longer before: add them up.": solution | {"far": 0.002 * 2500},
        "rmsprop: the number is 10, which is too small": solution | {"rmsprop": 10},
    }


class EpochOfBatches(Exercise):
    r"""An epoch without replacement

    Write a function that returns the mini-batches of one epoch as a list of arrays of indices: every index from 0 to
    `n - 1` exactly once, in an order drawn from `rng`, `size` in each batch. What is left over makes a smaller last
    batch.
    """

    level = "implement"
    inputs = [(10, 3, 0), (12, 4, 1), (9, 20, 2)]

    def solution(n, size, rng):
        """Return the mini-batches of one epoch, as arrays of indices."""
        order = rng.permutation(n)
        return [order[i : i + size] for i in range(0, n, size)]

    worked = """
    One permutation for each epoch, cut into pieces; a slice that reaches beyond the end is just shorter. Drawing each
    batch afresh, even without repeats inside it, would be sampling with replacement: some examples would come several
    times in an epoch, others never.
    """

    @classmethod
    def run(cls, answer, n, size, seed):
        rng = np.random.default_rng(seed)
        first = answer(n, size, rng)
        if first is None:
            return None
        first, second, again = (
            [np.array(batch) for batch in epoch]
            for epoch in (first, answer(n, size, rng), answer(n, size, np.random.default_rng(seed)))
        )
        order = np.concatenate(first)
        return {
            "the sizes": [len(batch) for batch in first],
            "the indices, sorted": np.sort(order),
            "shuffled": bool((order[:n] != np.arange(n)[: len(order)]).any()),
            "another order in the next epoch": not np.array_equal(order, np.concatenate(second)),
            "the same order for an equal rng": np.array_equal(order, np.concatenate(again)),
        }

    def same(n, size, rng):
        order = np.arange(n)
        rng.shuffle(order)
        return np.split(order, np.arange(size, n, size))

    def replaced(n, size, rng):
        order = rng.integers(n, size=n)
        return [order[i : i + size] for i in range(0, n, size)]

    def each_for_itself(n, size, rng):
        sizes = [min(size, n - i) for i in range(0, n, size)]
        return [rng.choice(n, size=k, replace=False) for k in sizes]

    def in_order(n, size, rng):
        return [np.arange(i, min(i + size, n)) for i in range(0, n, size)]

    def without_the_rest(n, size, rng):
        order = rng.permutation(n)
        return [order[i : i + size] for i in range(0, n - size + 1, size)] or [order[:0]]

    def always_the_same(n, size, rng):
        order = np.random.default_rng(0).permutation(n)
        return [order[i : i + size] for i in range(0, n, size)]

    wrong = {
        "This draws with replacement.": replaced,
        "No batch has an index twice, but the epoch has.": each_for_itself,
        "Nothing is drawn from rng.": in_order,
        "Those that are left over make a last batch.": without_the_rest,
        "The order must be drawn from rng again in each epoch.": always_the_same,
    }


class StepWithoutRoot(Exercise):
    r"""Larger gradients, shorter steps

    Adam's steps should not depend on the scale of the loss. With this one they do: gradients ten times as large make
    steps of a tenth. Correct it.
    """

    level = "debug"
    hint = r"What is the unit of $\hat v$, and what is that of $\hat m$?"
    inputs = [
        (np.array([1.0, 2.0]), np.abs(ZIGZAG) + 0.5, 0.1),
        (np.array([-1.0, 0.5]), 10 * ZIGZAG[::-1] + 0.3, 0.01),
        (np.array([0.1, 0.2]), TINY, 0.1),
    ]

    def given(w, gradient, state, lr):
        """Move w one step by Adam, in place."""
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        w -= lr * m_hat / (v_hat + 1e-8)

    def solution(w, gradient, state, lr):
        """Move w one step by Adam, in place."""
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        w -= lr * m_hat / (np.sqrt(v_hat) + 1e-8)

    worked = r"""
    $\hat v$ is a second moment, a mean of squares: it has the unit of $g^2$. Only its root can be compared with
    $\hat m$. Then the quotient is a pure number, and $\eta$ alone says how long a step is.
    """

    @classmethod
    def run(cls, answer, w, gradients, lr):
        return positions(answer, w, gradients, lr)

    def same(w, gradient, state, lr):
        state["t"] = t = state.setdefault("t", 0) + 1
        m = state.setdefault("m", np.zeros_like(w))
        v = state.setdefault("v", np.zeros_like(w))
        m += 0.1 * (gradient - m)
        v += 0.001 * (gradient**2 - v)
        w += -lr / (1 - 0.9**t) * m / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)

    def root_first(w, gradient, state, lr):
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * gradient**2
        w -= lr * m / (1 - 0.9**t) / (np.sqrt(v) / (1 - 0.999**t) + 1e-8)

    def sign_only(w, gradient, state, lr):
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        w -= lr * m / (1 - 0.9**t) / (np.abs(m) / (1 - 0.9**t) + 1e-8)

    def first_moment_of_size(w, gradient, state, lr):
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * gradient
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * np.abs(gradient)
        w -= lr * m / (1 - 0.9**t) / (v / (1 - 0.999**t) + 1e-8)

    wrong = {
        "The correction of v belongs under the root.": root_first,
        "This divides by the size of the first moment: what is left is its sign.": sign_only,
        "Independent of the scale, but this averages the sizes, not the squares.": first_moment_of_size,
    }


class MoreTrials(Exercise):
    r"""The luck of more trials

    Two rules are equally good: whatever the settings, the final loss of a trial is a random number, evenly distributed
    between 0 and 1, independent of the others. Rule A is tried with 10 rates, rule B with 10 rates times 4 factors.
    For each the lowest loss is reported.

    - `a` and `b`: the lowest loss to be expected of each;
    - `wins`: the probability that B's lowest is below A's;
    - `fair`: the number of rates with which A would have an even chance.
    """

    level = "transfer"
    hint = "Ten points cut the interval into eleven gaps, on average equal. Which of all fifty trials is the lowest?"
    solution = {"a": 1 / (10 + 1), "b": 1 / (40 + 1), "wins": 40 / (10 + 40), "fair": 10 * 4}
    worked = r"""
    $n$ points cut the interval into $n + 1$ gaps of the same expected length: 1/11 and 1/41. The lowest of all 50
    trials is equally likely to be any of them, and 40 of them are B's: 0.8. With 40 trials each it is even. So a
    comparison should give every rule the same number of trials, or say how many each had.
    """
    same = {"a": 0.0909, "b": 0.0244, "wins": 0.8, "fair": 40}
    wrong = {
        "Ten points make eleven gaps.": solution | {"a": 1 / 10, "b": 1 / 40},
        "That is the ratio of the trials; what share of all of them is B's?": solution | {"wins": 3 / 4},
        "wins: the number is 0.5": solution | {"wins": 0.5},
    }
