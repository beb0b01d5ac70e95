"""Exercises of section 1.3.2."""

import numpy as np

from mlcore import numerical_gradient, relative_error
from mlcore.teaching.practice import Exercise


def cubes(x):
    return (x**3).sum()


def waves(x):
    return np.sin(x).sum() + x[0] * x[-1]


def fifth_power(x):
    return x**5


def hollow(x):
    """Near 0 its slope is small and its curvature is not: no forward difference is exact enough there."""
    return 1 + ((x - 1e-4) ** 2).sum()


def valley_gradient(w):
    """The gradient of (w1² + 10 w2²) / 2."""
    return np.array([1.0, 10.0]) * w


def bowl_gradient(w):
    """The gradient of (w1² + w2² + w3²)² / 4 + w1."""
    return (w @ w) * w + np.array([1.0, 0.0, 0.0])


class Sine:
    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, dout):
        return dout * np.cos(self.x)


class ForgetfulSine(Sine):
    """FAULTY on purpose: it does not multiply by the upstream gradient."""

    def backward(self, dout):
        return np.cos(self.x)


class AverageSine(Sine):
    """FAULTY on purpose: every entry gets the mean of the upstream gradient."""

    def backward(self, dout):
        return dout.mean() * np.cos(self.x)


class ZeroSoftmax:
    """FAULTY on purpose: a softmax without any gradient."""

    def forward(self, x):
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)

    def backward(self, dout):
        return np.zeros_like(dout)


class TrueOfGradients(Exercise):
    r"""True of gradients?

    Answer with `True` or `False`.

    - `a`: The gradient of the mean loss of 32 images with respect to weights of shape (64, 10) has the shape
      (32, 64, 10).
    - `b`: Wherever the gradient of a smooth loss is not zero, a small enough step against it lowers the loss.
    - `c`: With a small enough rate, gradient descent walks straight to the minimum.
    - `d`: In a direction perpendicular to the gradient the slope is zero.
    - `e`: Of two steps, the smaller one gives the more accurate central difference.
    - `f`: If a layer passes the gradient check, its forward pass computes what it should.
    """

    level = "recall"
    solution = {"a": False, "b": True, "c": False, "d": True, "e": False, "f": False}
    worked = r"""
    (a) It has the shape of the weights; the mean is one number, whatever the number of images. (b) The change is
    $-\eta \lVert g \rVert^2$ up to a remainder of the order $\eta^2$. (c) It starts in the steepest direction, which in
    a valley is far from that of the minimum. (d) $\lVert g \rVert \cos 90° = 0$: that is the level set. (e) Below the
    best step the rounding error grows like $1/h$. (f) The check compares the two passes with each other only.
    """
    same = {"a": 1 > 2, "b": 2 > 1, "c": 1 > 2, "d": 2 > 1, "e": 1 > 2, "f": 1 > 2}
    wrong = {
        "The loss is a single number, and what moves is the weights.": solution | {"a": True},
        "What does the rounding error do when h shrinks?": solution | {"e": True},
        "A sigmoid of 2x with its exact derivative passes, too.": solution | {"f": True},
        "c: True is not right": solution | {"c": True},
    }


class SlopesByHand(Exercise):
    r"""Slopes by hand

    Let $L(a, b) = a b^2 + a$, at $(a, b) = (2, 3)$. Give

    - `gradient`: the gradient;
    - `slope`: the slope in the direction of the vector (3, 4);
    - `level`: the direction of the level set, as a vector of length 1 with a positive first entry;
    - `change`: the change of $L$ that the gradient predicts for the step from (2, 3) to (2.1, 2.9).
    """

    level = "by hand"
    hint = "How long is the vector (3, 4)? And which vectors are perpendicular to (p, q)?"
    solution = {
        "gradient": [3.0**2 + 1, 2 * 2 * 3.0],
        "slope": (10 * 3 + 12 * 4) / 5,
        "level": np.array([12, -10]) / np.sqrt(12**2 + 10**2),
        "change": 10 * 0.1 + 12 * (-0.1),
    }
    worked = r"""
    $\partial L/\partial a = b^2 + 1 = 10$ and $\partial L/\partial b = 2ab = 12$. The direction of (3, 4) is
    $(0.6, 0.8)$, so the slope is $6 + 9.6 = 15.6$. Perpendicular to (10, 12) are the multiples of (12, −10), of length
    $\sqrt{244} = 15.62$. The step (0.1, −0.1) changes $L$ by $1 - 1.2 = -0.2$; the true change is −0.239.
    """
    same = {"gradient": [10, 12], "slope": 15.6, "level": (0.768, -0.640), "change": -0.2}
    wrong = {
        "slope: 5 times too large": solution | {"slope": 78.0},
        "the sign is wrong everywhere": solution | {"level": np.array([-0.768, 0.640])},
        "That is the true change; the gradient predicts a different one.": solution | {"change": -0.239},
        "The level set is perpendicular to the gradient, not along it.": solution
        | {"level": np.array([10, 12]) / np.sqrt(244)},
    }


class ThreeLengths(Exercise):
    r"""Steepest in three ways

    The gradient is $g = (-6, 2, 3)$. Which step $d$ makes $\sum_i g_i d_i$, its gain, as large as possible, if

    - `euclidean`: the Euclidean length of $d$ is at most 1;
    - `largest`: no coordinate moves by more than 1;
    - `total`: the coordinates move by 1 in total?

    Give also the three `gains`, in this order.
    """

    level = "by hand"
    hint = "In the second case each coordinate can be chosen separately. In the third, where is the 1 best spent?"
    solution = {
        "euclidean": np.array([-6, 2, 3]) / np.sqrt(6**2 + 2**2 + 3**2),
        "largest": [-1, 1, 1],
        "total": [-1, 0, 0],
        "gains": [np.sqrt(6**2 + 2**2 + 3**2), 6 + 2 + 3, 6],
    }
    worked = r"""
    The Euclidean length of $g$ is 7, so the step is $g / 7$ and gains $49 / 7 = 7$. With a bound for each coordinate,
    all go as far as they may, in the direction of their sign: $6 + 2 + 3 = 11$. With a bound for their sum, everything
    goes into the entry of the largest size: 6. To *descend* as steeply, reverse all three steps.
    """
    same = {
        "euclidean": [-0.857, 0.286, 0.429],
        "largest": (-1.0, 1.0, 1.0),
        "total": (-1, 0, 0),
        "gains": (7, 11, 6),
    }
    wrong = {
        "euclidean: 7 times too large": solution | {"euclidean": np.array([-6, 2, 3])},
        "largest: the sign is wrong everywhere": solution | {"largest": np.array([1, -1, -1])},
        "The entry of the largest size counts, whatever its sign.": solution | {"total": np.array([0, 0, 1])},
    }


class FirstStep(Exercise):
    r"""The first step, and all the others

    The valley $L = \frac12 (w_1^2 + 10\, w_2^2)$, at $w = (10, 1)$. Give

    - `lowest`: the $\eta$ for which *one* step $-\eta g$ ends lowest;
    - `even`: the $\eta > 0$ for which one step ends as high as it began;
    - `limit`: the $\eta$ above which many steps of this size diverge.
    """

    level = "by hand"
    hint = r"How large are $\lVert g \rVert^2$ and $g^{\mathsf T} H g$? And by which factor does a step multiply $w_2$?"
    solution = {"lowest": 200 / (100 + 10 * 100), "even": 2 * 200 / 1100, "limit": 2 / 10}
    worked = r"""
    $\lVert g \rVert^2 = 200$ and $g^{\mathsf T} H g = 1 \cdot 10^2 + 10 \cdot 10^2 = 1100$. Along the step the loss
    is exactly the parabola $55 - 200\, \eta + 550\, \eta^2$: lowest at $200/1100 = 0.182$, even again at twice
    that, 0.364. Each step multiplies $w_2$ by $1 - 10 \eta$, whose size exceeds 1 for $\eta > 0.2$. So a rate of
    0.3 lowers the loss at the first step, and diverges all the same.
    """
    same = {"lowest": 0.182, "even": 0.364, "limit": 0.2}
    wrong = {
        "lowest: 2 times too large": solution | {"lowest": 400 / 1100},
        "The steepest coordinate diverges first: its curvature is 10.": solution | {"limit": 2.0},
        "From 1/10 on the steps cross the valley, but they still come nearer.": solution | {"limit": 0.1},
    }


class StepForFloat32(Exercise):
    r"""Steps for float32

    For a function with $|f| = |f''| = |f'''| = 1$, evaluated in float32 with $\epsilon = 1.19 \cdot 10^{-7}$, give the
    best step of the `forward` and of the `central` difference, and the `error` that the central one then has. Use the
    formulas of the chapter.
    """

    level = "by hand"
    hint = r"Minimise $\frac h2 + \frac\epsilon h$ and $\frac{h^2}6 + \frac\epsilon h$."
    solution = {
        "forward": (2 * 1.19e-7) ** (1 / 2),
        "central": (3 * 1.19e-7) ** (1 / 3),
        "error": (3 * 1.19e-7) ** (2 / 3) / 6 + 1.19e-7 / (3 * 1.19e-7) ** (1 / 3),
    }
    worked = r"""
    The derivatives with respect to $h$ are $\frac12 - \epsilon/h^2$ and $\frac h3 - \epsilon/h^2$; they are zero at
    $\sqrt{2\epsilon} = 4.9 \cdot 10^{-4}$ and $\sqrt[3]{3\epsilon} = 7.1 \cdot 10^{-3}$. There $\frac{h^2}6 +
    \frac\epsilon h = 2.52 \cdot 10^{-5}$: in float32 even the better formula leaves less than five digits, and no
    gradient check comes below 1e-7.
    """
    within = 0.01  # two digits are enough
    same = {"forward": 4.9e-4, "central": 7.1e-3, "error": 2.5e-5}
    wrong = {
        "That is the step for float64.": solution | {"forward": (2 * 2.2e-16) ** (1 / 2)},
        "The truncation of the central difference is of second order: its step is a cube root.": solution
        | {"central": (2 * 1.19e-7) ** (1 / 2)},
        "The rounding error is still missing.": solution | {"error": (3 * 1.19e-7) ** (2 / 3) / 6},
    }


class CountThePasses(Exercise):
    r"""Count the passes

    CIFAR-10 has colour images of 32 × 32 pixels with three channels, in ten classes. One affine layer maps an image to
    ten scores. Give the number of `parameters`, the number of forward passes that a numerical gradient takes with
    `forward` and with `central` differences, and what backpropagation costs by the chapter's rule, in
    forward passes (`backprop`).
    """

    level = "by hand"
    solution = {
        "parameters": 32 * 32 * 3 * 10 + 10,
        "forward": 32 * 32 * 3 * 10 + 10 + 1,
        "central": 2 * (32 * 32 * 3 * 10 + 10),
        "backprop": 1 + 2,
    }
    worked = r"""
    $3072 \cdot 10$ weights and 10 biases make 30,730. The forward difference moves each once and needs the value at the
    point itself, once for all: 30,731, the number in the notes of CS231n. The central one moves each twice: 61,460.
    Backpropagation needs one forward pass, and a backward pass that costs about two. (A first layer could leave out the
    gradient of its input; the rule does not.)
    """
    same = {"parameters": 30_730, "forward": 30_731, "central": 61_460, "backprop": 3}
    wrong = {
        "Are the biases counted?": solution | {"parameters": 30_720},
        "The value at the point itself is needed as well.": solution | {"forward": 30_730},
        "The backward pass multiplies twice for each layer, and the forward pass comes before it.": solution
        | {"backprop": 1},
    }


class DirectionalSlope(Exercise):
    r"""The slope in one direction

    Write a function that measures the slope of `f` at `x` in the direction of `u` with one central difference. It
    should call `f` twice, however many entries `x` has; `u` may have any length but 0, and `x` may hold integers.
    """

    level = "implement"
    hint = "Make a direction of length 1 out of `u` first. Then `f` depends on one number only: how far you go."
    within = 1e-5
    inputs = [
        (cubes, np.array([1.0, -2.0, 0.5]), np.array([2.0, 1.0, 2.0])),
        (cubes, np.array([3, 4]), np.array([3.0, 4.0])),
        (waves, np.array([0.3, -1.0, 2.0, 0.7]), np.array([0.0, 0.3, 0.0, -0.4])),
        (hollow, np.array([0.0, 3e-5]), np.array([2.0, 1.0])),
    ]

    def solution(f, x, u):
        """Return the slope of f at x (D,) in the direction of u (D,)."""
        u = u / np.linalg.norm(u)
        h = 1e-5
        return (f(x + h * u) - f(x - h * u)) / (2 * h)

    worked = r"""
    The whole gradient costs two calls for each entry; one slope costs two calls in all. `x + h * u` is a
    new array, and floating even where `x` holds integers, so nothing has to be put back and no step is cut off.
    """

    @classmethod
    def run(cls, answer, f, x, u):
        calls = []

        def counted(x):
            calls.append(x)
            return f(x)

        slope = answer(counted, x, u)
        return {"slope": slope, "calls of f": f"{len(calls)} calls" if calls else None}

    def same(f, x, u):
        h = 1e-4 / np.sqrt((u**2).sum())
        return (f(x + h * u) - f(x - h * u)) / 2e-4

    def any_length(f, x, u):
        return (f(x + 1e-5 * u) - f(x - 1e-5 * u)) / 2e-5

    def whole_gradient(f, x, u):
        return numerical_gradient(f, x) @ u / np.linalg.norm(u)

    def one_sided(f, x, u):
        u = u / np.linalg.norm(u)
        return (f(x + 1e-4 * u) - f(x)) / 1e-4

    def in_place(f, x, u):
        step = 1e-5 * u / np.linalg.norm(u)
        x += step
        above = f(x)
        x -= 2 * step
        return (above - f(x)) / 2e-5

    wrong = {
        "A direction has the length 1: divide u by its length.": any_length,
        "The whole gradient takes two calls for each entry; one slope takes two in all.": whole_gradient,
        "One side is not enough: the error of a forward difference is of the order h.": one_sided,
        "UFuncTypeError": in_place,
    }


class StepBack(Exercise):
    r"""There and back

    The gradient that this function returns is right. But a program that calls it thousands of times finds that its
    parameters have moved a little, without any update. Find out why and fix it: afterwards `x` must be the same to the
    last bit.
    """

    level = "debug"
    hint = "Is `0.1 + h - 2 * h + h` equal to `0.1`?"
    inputs = [
        (cubes, np.sqrt([0.1, 0.7, 0.3])),
        (waves, np.sqrt([1.1, 2.2, 0.9, 3.3])),
        (hollow, np.sqrt([2e-18, 3e-15, 5e-12])),
    ]
    within = 1e-5

    def given(f, x):
        """Return the gradient of f at x (D,) by central differences."""
        gradient, h = np.zeros(len(x)), 1e-5
        for i in range(len(x)):
            x[i] += h
            above = f(x)
            x[i] -= 2 * h
            below = f(x)
            x[i] += h
            gradient[i] = (above - below) / (2 * h)
        return gradient

    def solution(f, x):
        """Return the gradient of f at x (D,) by central differences."""
        gradient, h = np.zeros(len(x)), 1e-5
        for i in range(len(x)):
            above, below = x.copy(), x.copy()
            above[i] += h
            below[i] -= h
            gradient[i] = (f(above) - f(below)) / (2 * h)
        return gradient

    worked = r"""
    Each addition rounds, so the way back does not end where the way there began. Either keep the old value and put
    that back, or leave `x` alone and move copies. The second is also safe if `f` raises an error half-way.
    """

    def same(f, x):
        gradient = []
        for i in range(len(x)):
            kept = x[i]
            x[i] = kept + 1e-5
            above = f(x)
            x[i] = kept - 1e-5
            gradient.append((above - f(x)) / 2e-5)
            x[i] = kept
        return gradient

    def rounded(f, x):
        gradient, h = np.zeros(len(x)), 1e-5
        for i in range(len(x)):
            x[i] += h
            above = f(x)
            x[i] -= 2 * h
            gradient[i] = (above - f(x)) / (2 * h)
            x[i] = np.round(x[i] + h, 12)
        return gradient

    def four_steps(f, x):
        gradient, h = np.zeros(len(x)), 1e-5
        for i in range(len(x)):
            x[i] += h
            above = f(x)
            x[i] -= h
            x[i] -= h
            gradient[i] = (above - f(x)) / (2 * h)
            x[i] += h
        return gradient

    def one_sided(f, x):
        return np.array([(f(x + step) - f(x)) / 1e-7 for step in 1e-7 * np.eye(len(x))])

    def one_name_more(f, x):
        kept, gradient, h = x, np.zeros(len(x)), 1e-5
        for i in range(len(x)):
            x[i] += h
            above = f(x)
            x[i] -= 2 * h
            gradient[i] = (above - f(x)) / (2 * h)
            x[i] = kept[i]
        return gradient

    wrong = {
        "x itself is changed: work on a copy": rounded,
        "In smaller steps the way back has as many roundings, or more.": four_steps,
        "One side is not enough: the error of a forward difference is of the order h.": one_sided,
        "A second name is no copy: kept and x are one array.": one_name_more,
    }


class ReluFromOutput(Exercise):
    r"""A slope from the output

    This layer takes its slope from its output, so that it need not keep the input. Networks train with it, and yet it
    is wrong. Find the fault and fix it.
    """

    level = "debug"
    hint = "What is the output for a negative input, and what does the comparison say of it?"
    inputs = [
        (np.array([[1.0, -2.0, 0.5], [-0.3, 4.0, -1.0]]),),
        (np.array([-1.5, 2.5, 0.1, -0.7]),),
    ]

    class given:
        """max(0, x), for arrays of any shape."""

        def forward(self, x):
            self.out = np.maximum(0, x)
            return self.out

        def backward(self, dout):
            return dout * (self.out >= 0)

    class solution:
        """max(0, x), for arrays of any shape."""

        def forward(self, x):
            self.out = np.maximum(0, x)
            return self.out

        def backward(self, dout):
            return dout * (self.out > 0)

    worked = r"""
    The output is never negative, so `>= 0` is always true and the gradient passes everywhere, also where the layer is
    flat. A network trains with it, because a wrong gradient often still leads downhill; a gradient check at one
    negative input finds it.
    """

    class same:
        def forward(self, x):
            self.open = x > 0
            return np.where(self.open, x, 0.0)

        def backward(self, dout):
            return np.where(self.open, dout, 0.0)

    class NoUpstream(solution):
        def backward(self, dout):
            return 1.0 * (self.out > 0)

    class TimesOutput(solution):
        def backward(self, dout):
            return dout * self.out

    class InPlace(solution):
        def forward(self, x):
            self.out = x
            self.out[x < 0] = 0
            return self.out

    wrong = {
        "The output is never negative, so this comparison is always true.": given,
        "The upstream gradient is missing.": NoUpstream,
        "The slope is 1 where the layer is open, not the output.": TimesOutput,
        "x itself is changed": InPlace,
    }


class HonestError(Exercise):
    r"""An honest relative error

    This comparison of two gradients has three faults: it reports a total failure if a single entry is 0 on one side and
    rounding noise on the other; it returns nan if both gradients are zero; and it accepts gradients of different
    shapes. Return the largest difference, divided by the entry of both that is largest in size; 0 if both are zero; and
    raise a `ValueError` for different shapes.
    """

    level = "debug"
    hint = "Take the largest difference and the largest entry first, and divide once."
    inputs = [
        (np.array([2.0, -4.0]), np.array([2.5, -4.0])),
        (np.array([1.0, 0.0, 3.0]), np.array([1.0, 3e-11, 3.0])),
        (np.array([3e-10, 1e-10]), np.array([1e-10, 1e-10])),
        (np.array([-8.0, 1.0]), np.array([-2.0, 1.0])),
        (np.array([1.0, 2.0, 1.0]), np.array([1.0, -5.0, 2.0])),
        (np.zeros((2, 2)), np.zeros((2, 2))),
        (np.ones((3, 1)), np.ones(3)),
        (np.ones(1), np.ones(3)),
        (np.ones((1, 3)), np.ones((3, 1))),
    ]

    def given(a, b):
        """Return the error of two gradients relative to each other."""
        return (np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))).max()

    def solution(a, b):
        """Return the error of two gradients relative to each other."""
        if a.shape != b.shape:
            raise ValueError(f"the shapes differ: {a.shape} and {b.shape}")
        scale = max(np.abs(a).max(), np.abs(b).max())
        return np.abs(a - b).max() / scale if scale > 0 else 0.0

    worked = r"""
    Divided entry by entry, an entry that happens to be 0 makes the error 1, and two of them make it 0/0. Divided once,
    by the largest entry, both are harmless. An epsilon in the denominator would remove the 0/0 too, but it would
    hide the faults of every gradient smaller than itself. Shapes are compared before anything else, because (3, 1) and
    (3,) broadcast silently to (3, 3).
    """

    def same(a, b):
        if np.shape(a) != np.shape(b):
            raise ValueError("different shapes")
        both = np.concatenate([np.ravel(a), np.ravel(b)])
        return 0 if not both.any() else np.linalg.norm(np.ravel(a - b), np.inf) / np.linalg.norm(both, np.inf)

    def no_shapes(a, b):
        scale = max(np.abs(a).max(), np.abs(b).max())
        return np.abs(a - b).max() / scale if scale > 0 else 0.0

    def number_of_axes(a, b):
        if a.ndim != b.ndim:
            raise ValueError
        return HonestError.no_shapes(a, b)

    def epsilon(a, b):
        if a.shape != b.shape:
            raise ValueError
        return np.abs(a - b).max() / (max(np.abs(a).max(), np.abs(b).max()) + 1e-8)

    def nan_to_zero(a, b):
        if a.shape != b.shape:
            raise ValueError
        with np.errstate(invalid="ignore"):
            return np.nan_to_num(np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))).max()

    wrong = {
        "Divided entry by entry, rounding noise next to a zero counts as a total failure.": nan_to_zero,
        "The epsilon outweighs small gradients, and hides their faults.": epsilon,
        "there should be a ValueError": no_shapes,
        "Arrays with equally many axes still broadcast where an axis has length 1.": number_of_axes,
    }


class StepTooSmall(Exercise):
    r"""Smaller is better?

    "The derivative is a limit, so I took the smallest step I could." This function returns 0 for every function.
    Fix it, so that eight digits are right for functions of ordinary size, and for $x$ from 1 to a million.
    """

    level = "debug"
    hint = (
        "Which number does float64 have next to 1, and next to a million? Which difference has an error of order $h^2$?"
    )
    within = 1e-8
    inputs = [(np.exp, 1.0), (np.sin, 2.0), (np.cos, 3.04), (fifth_power, 1e6)]

    def given(f, x):
        """Return the derivative of f at the number x."""
        h = 1e-16
        return (f(x + h) - f(x)) / h

    def solution(f, x):
        """Return the derivative of f at the number x."""
        h = 1e-5 * max(1, abs(x))
        return (f(x + h) - f(x - h)) / (2 * h)

    worked = r"""
    The neighbours of 1 are $2.2 \cdot 10^{-16}$ apart, so $1 + 10^{-16}$ *is* 1. The step must be far larger; then
    a forward difference is off by $h f''/2$, at best by $10^{-8}$ or so, and the central one by $h^2 f'''/6$. At a
    million the neighbours are $10^{-10}$ apart, and a step of $10^{-5}$ keeps five digits: so it has to grow with
    $x$.
    """

    def same(f, x):
        h = 1e-3 * abs(x)
        return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)

    def forward(f, x):
        h = 1e-7 * max(1, abs(x))
        return (f(x + h) - f(x)) / h

    def fixed(f, x):
        return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5

    wrong = {
        "zero everywhere": given,
        "A forward difference keeps half of the digits at best.": forward,
        "Next to a million this step is mostly rounding: let it grow with x.": fixed,
    }


class OnesUpstream(Exercise):
    r"""A check that lets faults pass

    This gradient check, which returns `True` for a right backward pass, has been passed by a layer that forgets its
    upstream gradient, and by a softmax whose backward returns zeros. Fix the check.
    """

    level = "debug"
    hint = "Which upstream gradient does `sum()` amount to? Use a random one, the same in both places."
    inputs = [
        (Sine(), np.array([[0.5, -1.0, 2.0], [0.1, 1.0, -0.4]])),
        (ForgetfulSine(), np.array([[0.5, -1.0, 2.0], [0.1, 1.0, -0.4]])),
        (ZeroSoftmax(), np.array([[0.2, 1.0], [-1.0, 0.7], [0.3, 0.1]])),
        (AverageSine(), np.array([0.3, -0.8, 1.2])),
    ]

    def given(layer, x):
        """Return True if layer.backward is the derivative of layer.forward at x."""
        dx = layer.backward(np.ones_like(layer.forward(x)))
        return relative_error(dx, numerical_gradient(lambda x: layer.forward(x).sum(), x)) < 1e-6

    def solution(layer, x):
        """Return True if layer.backward is the derivative of layer.forward at x."""
        u = np.random.default_rng(0).standard_normal(layer.forward(x).shape)
        dx = layer.backward(u)
        measured = numerical_gradient(lambda x: (u * layer.forward(x)).sum(), x)
        return relative_error(dx, measured) < 1e-6

    worked = r"""
    The sum of the outputs has the upstream gradient 1, and a factor of 1 can be forgotten without a trace. The
    outputs of a softmax always sum to 1, so that gradient is zero, as the faulty layer says; any other *constant*
    upstream gradient is as blind to that layer. With random weights $u$ the loss is $\sum_i u_i y_i$, and its upstream
    gradient is $u$.
    """

    def same(layer, x):
        y = layer.forward(x)
        u = np.cos(np.arange(1.0, y.size + 1)).reshape(y.shape)
        dx = layer.backward(u)
        return bool(np.allclose(dx, numerical_gradient(lambda x: np.vdot(u, layer.forward(x)), x), atol=1e-6))

    def threes(layer, x):
        dx = layer.backward(np.full_like(layer.forward(x), 3.0))
        return relative_error(dx, numerical_gradient(lambda x: 3 * layer.forward(x).sum(), x)) < 1e-6

    def two_draws(layer, x):
        rng = np.random.default_rng(0)
        dx = layer.backward(rng.standard_normal(layer.forward(x).shape))
        u = rng.standard_normal(layer.forward(x).shape)
        return relative_error(dx, numerical_gradient(lambda x: (u * layer.forward(x)).sum(), x)) < 1e-6

    wrong = {
        "Any constant upstream gradient is blind to a softmax: its outputs always have the same sum.": threes,
        "Do the loss and the backward pass get one and the same random array?": two_draws,
        "for layer = ForgetfulSine": given,
    }


class ReadTheSymptoms(Exercise):
    r"""Read the symptoms

    Four gradient checks. Name what each points to: `"forward"`, `"backward"`, `"kink"` or `"precision"`.

    - `a`: relative error $3 \cdot 10^{-4}$ in float32 and $2 \cdot 10^{-10}$ in float64, at the same point;
    - `b`: below $10^{-9}$ at ten random points, but the outputs differ from those worked out by hand;
    - `c`: a layer with $\max(0, x)$: one entry of 300 is wrong by a third, all others agree; its input is 0.000002;
    - `d`: error 0 at inputs near 50, error 0.5 at inputs near 1; the layer is a sigmoid.
    """

    level = "transfer"
    solution = {"a": "precision", "b": "forward", "c": "kink", "d": "backward"}
    worked = r"""
    (a) Seven digits are not enough for differences. (b) The passes agree with each other, so it is the function that
    is wrong. (c) The step of about $6 \cdot 10^{-6}$ reaches over the kink at 0 for this entry alone, so it
    measures two thirds of the slope; choose another point. (d) Near 50 the sigmoid is saturated and zero agrees with
    anything; an error of 0.5 near 1 is a factor of 2 in the backward pass.
    """
    same = {"a": "Precision", "b": "Forward", "c": "Kink", "d": "Backward"}
    wrong = {
        "A wrong formula would be as wrong in float64.": solution | {"a": "backward"},
        "How far does the step reach from this input?": solution | {"c": "backward"},
        "Where all gradients are zero, everything agrees; only the other point says anything.": solution
        | {"d": "precision"},
    }


class MillimetresForMetres(Exercise):
    r"""Millimetres for metres

    A model multiplies a length in metres by a weight $w$. Now the same length comes in millimetres, and the weight is
    changed so that all outputs stay the same. How many times as large as before is

    - `weight`: the weight;
    - `gradient`: its gradient;
    - `effect`: the change of the *output* in one step with the old learning rate;
    - `rate`: the learning rate with which one step would change the output as before?
    """

    level = "transfer"
    hint = "The output is weight times length. Write the new step, and multiply it by the new length."
    solution = {
        "weight": 1 / 1000,
        "gradient": 1000.0,
        "effect": 1000.0**2,
        "rate": 1 / 1000**2,
    }
    worked = r"""
    The new numbers are 1,000 times larger, so the weight is 1,000 times smaller, and its gradient, upstream gradient
    times input, 1,000 times larger. The step is then 1,000 times larger as well, and it is multiplied by an input that
    is 1,000 times larger: a million. Therefore features are scaled before training; otherwise every weight needs a
    learning rate of its own.
    """
    same = {"weight": 1e-3, "gradient": 1e3, "effect": 1e6, "rate": 1e-6}
    wrong = {
        "The gradient of a weight is upstream gradient times input: it grows with the input.": solution
        | {"gradient": 1 / 1000},
        "The step is 1,000 times larger, and so is the input that it is multiplied by.": solution | {"effect": 1000.0},
        "weight: the number is 1000, which is too large": solution | {"weight": 1000.0},
    }


class BreakEven(Exercise):
    r"""The step that breaks even

    You have a function that returns the gradient of some loss, and nothing else. Write a function that returns the
    learning rate with which, according to the second-order formula of the chapter, one step against the gradient `g` at
    `w` ends as high as it began. Measure $g^{\mathsf T} H g$ as the change of the gradient along `g`; no matrix is
    needed.
    """

    level = "transfer"
    hint = r"$2h\, H g$ is about `gradient(w + h * g) - gradient(w - h * g)` for a small $h$."
    within = 1e-4
    inputs = [
        (valley_gradient, np.array([10.0, 1.0])),
        (valley_gradient, np.array([-3.0, 0.5])),
        (bowl_gradient, np.array([1.0, -0.5, 2.0])),
    ]

    def solution(gradient, w):
        """Return the learning rate at which a step from w (D,) against gradient(w) breaks even."""
        g, h = gradient(w), 1e-5
        Hg = (gradient(w + h * g) - gradient(w - h * g)) / (2 * h)
        return 2 * (g @ g) / (g @ Hg)

    worked = r"""
    $-\eta \lVert g \rVert^2 + \frac12 \eta^2 g^{\mathsf T} H g = 0$ for $\eta = 2 \lVert g \rVert^2 / g^{\mathsf T}
    H g$. The matrix of a network with a million parameters would have a million million entries; its product with
    one vector costs two gradients. For the valley of `first-step` the result is 0.364.
    """

    def same(gradient, w):
        H = np.array([(gradient(w + step) - gradient(w - step)) / 2e-5 for step in 1e-5 * np.eye(len(w))])
        g = gradient(w)
        return 2 / (g @ H @ g) * np.sum(g**2)

    def lowest(gradient, w):
        return BreakEven.solution(gradient, w) / 2

    def forgot_the_square(gradient, w):
        g = gradient(w)
        return BreakEven.solution(gradient, w) / np.sqrt(g @ g)

    def of_w(gradient, w):
        g = gradient(w)
        Hw = (gradient(w + 1e-5 * w) - gradient(w - 1e-5 * w)) / 2e-5
        return 2 * (g @ g) / (g @ Hw)

    wrong = {
        "2 times too small": lowest,
        "The formula has the square of the length of g.": forgot_the_square,
        "Move along g, not along w.": of_w,
    }


class BetterThanCentral(Exercise):
    r"""Better than central

    The error of the central difference $D(h)$ is $c\,h^2$ plus terms of the order $h^4$. Combine $D(h)$ and
    $D(h/2)$ so that the term with $h^2$ cancels, and write a function that returns this combination.
    """

    level = "transfer"
    hint = r"$D(h) = f' + c h^2$ and $D(h/2) = f' + c h^2 / 4$. Eliminate $c$."
    inputs = [(np.exp, 1.0, 0.1), (np.sin, 2.0, 0.2), (fifth_power, 1.5, 0.5)]

    def solution(f, x, h):
        """Return the derivative of f at x, from central differences with the steps h and h / 2."""
        wide = (f(x + h) - f(x - h)) / (2 * h)
        narrow = (f(x + h / 2) - f(x - h / 2)) / h
        return (4 * narrow - wide) / 3

    worked = r"""
    Four times the second equation minus the first is $4 D(h/2) - D(h) = 3 f'$. With $e^x$ at 1 and $h = 0.1$ the
    error falls from $4.5 \cdot 10^{-3}$ for $D(h)$ to $5.7 \cdot 10^{-7}$. This is Richardson's extrapolation; it
    is accurate already with large steps, where rounding does no harm, at the price of twice as many evaluations.
    """

    def same(f, x, h):
        return (f(x - h) - 8 * f(x - h / 2) + 8 * f(x + h / 2) - f(x + h)) / (6 * h)

    def narrow_alone(f, x, h):
        return (f(x + h / 2) - f(x - h / 2)) / h

    def first_order(f, x, h):
        return 2 * BetterThanCentral.narrow_alone(f, x, h) - BetterThanCentral.narrow_alone(f, x, 2 * h)

    def swapped(f, x, h):
        return (4 * BetterThanCentral.narrow_alone(f, x, 2 * h) - BetterThanCentral.narrow_alone(f, x, h)) / 3

    wrong = {
        "These weights cancel an error that is proportional to h, not to h².": first_order,
        "The more accurate one needs the larger weight.": swapped,
        "The error of D(h/2) alone is a quarter of that of D(h): it is not gone.": narrow_alone,
    }


class LayerGradient(Exercise):
    r"""The gradient of a layer

    An image of two pixels, $x = (1, 2)$, gets the scores $xW$ for three classes. All weights are 0, and the right class
    is the second. Give for softmax cross-entropy

    - `gradient`: the gradient of the loss with respect to $W$;
    - `change`: the change of the loss that it predicts for one step of gradient descent with $\eta = 0.1$.
    """

    level = "by hand"
    hint = (
        "With W = 0 all classes are equally likely. The weight from pixel i into class k has the slope x_i (y_k − t_k)."
    )
    solution = {
        "gradient": np.outer([1, 2], [1 / 3, 1 / 3 - 1, 1 / 3]),
        "change": -0.1 * (1**2 + 2**2) * (1 / 9 + 4 / 9 + 1 / 9),
    }
    worked = r"""
    $y - t = (\frac13, -\frac23, \frac13)$. The first row of the gradient is this, the second, of the pixel that is
    twice as bright, is twice this. The step changes the loss by $-\eta \lVert g \rVert^2$, and
    $\lVert g \rVert^2 = (1 + 4) \cdot \frac69 = \frac{10}{3}$: by −0.333.
    """
    same = {"gradient": [[0.333, -0.667, 0.333], [0.667, -1.333, 0.667]], "change": -0.3333}
    wrong = {
        "gradient: the shape is (3, 2)": solution | {"gradient": solution["gradient"].T},
        "gradient: the sign is wrong": solution | {"gradient": -solution["gradient"]},
        "At the right class t is 1: subtract it.": solution | {"gradient": np.outer([1, 2], [1 / 3, 1 / 3, 1 / 3])},
        "The change is −η times the squared length of the gradient.": solution | {"change": -0.1 * np.sqrt(10 / 3)},
        "change: the sign is wrong": solution | {"change": 1 / 3},
    }


class WhereDescentEnds(Exercise):
    r"""Where descent ends

    $L(a, b) = a^3 - 3a + b^2$ is stationary at $(1, 0)$ and at $(-1, 0)$. Give

    - `right` and `left`: what these two points are: `"minimum"`, `"maximum"` or `"saddle"`;
    - `lowest`: `True` if one of them is the global minimum, `False` if not;
    - `ridge`: where $a$ ends if descent with a small learning rate starts at $(-1, 2)$;
    - `beside`: where $a$ ends if it starts at $(-0.9, 2)$.
    """

    level = "by hand"
    hint = "The slope in a is 3a² − 3 and the slope in b is 2b. In which direction does each of them push?"
    solution = {"right": "minimum", "left": "saddle", "lowest": False, "ridge": -1, "beside": 1}
    worked = r"""
    The gradient is $(3a^2 - 3,\ 2b)$, the curvatures are $6a$ and 2. At $(1, 0)$ both are positive: a local minimum, of
    height −2. At $(-1, 0)$ they are −6 and 2: a saddle. Far to the left $a^3$ makes $L$ as low as one likes, so no
    minimum is global. From $(-1, 2)$ only $b$ moves, since the slope in $a$ is exactly zero. From $(-0.9, 2)$ it is
    −0.57, so $a$ grows, to 1.
    """
    same = {"right": "Minimum", "left": "Saddle", "lowest": 1 > 2, "ridge": -1.0, "beside": 1.0}
    wrong = {
        "Along b the loss rises from there.": solution | {"left": "maximum"},
        "Along a the loss falls from there.": solution | {"left": "minimum"},
        "How low is L at a = −10?": solution | {"lowest": True},
        "On the ridge the slope in a is exactly zero, at every step.": solution | {"ridge": 1},
        "Against the gradient: where the slope in a is negative, a grows.": solution | {"beside": -1},
    }


class DescentLoop(Exercise):
    r"""The descent loop

    Write a function that takes `steps` steps of gradient descent from the point `w` and returns where they lead. The
    function `gradient` returns the gradient at any point. Leave `w` itself as it was; it may hold integers.
    """

    level = "implement"
    hint = "Three lines: a loop, a step, a return. Each point needs its own gradient."
    inputs = [
        (valley_gradient, np.array([10.0, 1.0]), 0.15, 3),
        (bowl_gradient, np.array([1.0, -0.5, 2.0]), 0.05, 20),
        (valley_gradient, np.array([3, -2]), 0.05, 1),
        (valley_gradient, np.array([4.0, -1.0]), 0.1, 0),
    ]

    def solution(gradient, w, lr, steps):
        """Return where steps of gradient descent lead from w (D,) with the learning rate lr."""
        for _ in range(steps):
            w = w - lr * gradient(w)
        return w

    worked = r"""
    `w = w - ...` makes a new array each time, so the one that was passed stays as it was, and integers become floats.
    `w -= ...` would write into it, and fails for integers.
    """

    def same(gradient, w, lr, steps):
        path = [np.array(w, float)]
        while len(path) <= steps:
            path.append(path[-1] - lr * np.asarray(gradient(path[-1])))
        return path[-1]

    def uphill(gradient, w, lr, steps):
        for _ in range(steps):
            w = w + lr * gradient(w)
        return w

    def one_gradient(gradient, w, lr, steps):
        return w - steps * lr * gradient(w)

    def one_step_more(gradient, w, lr, steps):
        return DescentLoop.solution(gradient, w, lr, steps + 1)

    def in_place(gradient, w, lr, steps):
        for _ in range(steps):
            w -= lr * gradient(w)
        return w

    def return_in_loop(gradient, w, lr, steps):
        for _ in range(steps):
            w = w - lr * gradient(w)
            return w

    wrong = {
        "This climbs: a step goes against the gradient.": uphill,
        "The gradient changes along the way: compute it at every step.": one_gradient,
        "That is one step too many.": one_step_more,
        "w itself is changed": in_place,
        "The return is inside the loop: it ends after one step.": return_in_loop,
    }


KINK_INPUTS = np.array([[1.0, 2.0], [-1.0, 3.0], [2.0, 1.0], [1.0, -1.0]])
JUST_ABOVE = np.array([[0.5, -2.0, 1.0], [0.25, 1.0002, 2.0]])  # KINK_INPUTS @ this is 0.0004 at [0, 1]
JUST_BELOW = np.array([[0.5, -2.0, 1.0], [0.25, 0.9998, 2.0]])  # and of this -0.0004


class WhichMaxWon(Exercise):
    r"""Which max won?

    A layer computes $\max(0, xW)$. A gradient check moves the weight `W[i, j]` up by `h` and down by `h`. Write a
    function that returns whether the step crosses a kink: whether for some entry of the output 0 wins at one end
    and $xW$ at the other. Leave `W` as it was.
    """

    level = "implement"
    hint = "Compute $xW$ at both ends. Where is it positive?"
    inputs = [
        (KINK_INPUTS, JUST_ABOVE, 0, 1, 1e-3),
        (KINK_INPUTS, JUST_BELOW, 0, 1, 1e-3),
        (KINK_INPUTS, JUST_ABOVE, 0, 1, 1e-4),
        (KINK_INPUTS, JUST_BELOW, 1, 1, 1.5e-4),
        (KINK_INPUTS, JUST_ABOVE, 1, 1, 3e-4),
        (KINK_INPUTS, JUST_ABOVE, 0, 0, 1e-3),
        (KINK_INPUTS, JUST_BELOW, 1, 2, 1e-3),
    ]

    def solution(x, W, i, j, h):
        """Return whether moving W[i, j] by h up and down changes a winner of max(0, x @ W)."""
        step = np.zeros(W.shape)
        step[i, j] = h
        return bool(((x @ (W + step) > 0) != (x @ (W - step) > 0)).any())

    worked = r"""
    One entry of many is enough to spoil the difference, hence `any`. Both ends are needed: an entry just above 0
    changes sides only below, one just under 0 only above. If the answer is `True`, check at another point.
    """

    def same(x, W, i, j, h):
        column = x @ W[:, j]
        return bool((abs(column) < h * abs(x[:, i])).any())

    def all_of_them(x, W, i, j, h):
        step = np.zeros(W.shape)
        step[i, j] = h
        return bool(((x @ (W + step) > 0) != (x @ (W - step) > 0)).all())

    def one_end(x, W, i, j, h):
        step = np.zeros(W.shape)
        step[i, j] = h
        return bool(((x @ (W + step) > 0) != (x @ W > 0)).any())

    def any_weight(x, W, i, j, h):
        return bool(((x @ (W + h) > 0) != (x @ (W - h) > 0)).any())

    def in_place(x, W, i, j, h):
        W[i, j] += h
        high = x @ W > 0
        W[i, j] -= 2 * h
        return bool((high != (x @ W > 0)).any())

    def values(x, W, i, j, h):
        step = np.zeros(W.shape)
        step[i, j] = h
        return bool((np.maximum(0, x @ (W + step)) != np.maximum(0, x @ (W - step))).any())

    wrong = {
        "One entry that changes sides is enough.": all_of_them,
        "The step goes down as well as up: look at both ends.": one_end,
        "Only one weight moves.": any_weight,
        "W itself is changed": in_place,
        "The values always differ a little; the question is which of the two wins.": values,
    }
