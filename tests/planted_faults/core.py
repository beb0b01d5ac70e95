"""Faults in the code of the package and in its exercises."""

from planted_faults import Fault, swap

LAYERS, NODES, RULES = "mlcore/layers.py", "mlcore/nodes.py", "mlcore/optimizers.py"
EXERCISES = "mlcore/teaching/exercises/loss_function.py"


def code(name, file, old, new, check):
    return Fault(name, "code", file, swap(old, new), check)


FAULTS = [
    code(
        "multiply-sends-the-wrong-factor",
        NODES,
        "return sum_to(dz * self.y, self.x.shape), sum_to(dz * self.x, self.y.shape)",
        "return sum_to(dz * self.x, self.x.shape), sum_to(dz * self.y, self.y.shape)",
        "tests/test_nodes.py::test_gradients_of_add_and_multiply",
    ),
    code(
        "add-forgets-broadcasting",
        NODES,
        "return tuple(sum_to(dz, shape) for shape in self.shapes)",
        "return tuple(dz for shape in self.shapes)",
        "tests/test_nodes.py::test_add_and_its_transpose",
    ),
    code(
        "branch-takes-the-last-gradient",
        NODES,
        "return sum(dys)",
        "return dys[-1]",
        "tests/test_nodes.py::test_gradient_of_branch",
    ),
    code(
        "power-one-too-many",
        NODES,
        "self.n * self.x ** (self.n - 1)",
        "self.n * self.x**self.n",
        "tests/test_nodes.py::test_gradient_of_power",
    ),
    code(
        "sigmoid-forgets-one-factor",
        LAYERS,
        "return dout * self.out * (1 - self.out)",
        "return dout * (1 - self.out)",
        "tests/test_layers.py::test_gradient_of_sigmoid",
    ),
    code(
        "relu-lets-zero-through",
        LAYERS,
        "np.where(self.positive, dout, 0)",
        "np.where(self.positive, dout, 0.01 * dout)",
        "tests/test_layers.py::test_relu_has_no_slope_where_its_input_is_not_positive",
    ),
    code(
        "tanh-wrong-sign",
        LAYERS,
        "dout * (1 - self.out**2)",
        "dout * (1 + self.out**2)",
        "tests/test_layers.py::test_gradient_of_tanh",
    ),
    code(
        "loss-without-the-mean",
        "mlcore/losses.py",
        "return (y - t) * (dout * y.shape[-1] / y.size)",
        "return (y - t) * dout",
        "tests/test_losses.py::test_gradient_of_softmax_with_loss",
    ),
    code(
        "softmax-without-the-shift",
        "mlcore/functions.py",
        "e = np.exp(x - x.max(axis=-1, keepdims=True))",
        "e = np.exp(x)",
        "tests/test_functions.py::test_values_at_plus_and_minus_1000",
    ),
    code(
        "momentum-climbs",
        RULES,
        "        v -= self.lr * grad\n",
        "        v += self.lr * grad\n",
        "tests/test_optimizers.py::test_path_on_a_parabola",
    ),
    code(
        "nesterov-looks-ahead-twice",
        RULES,
        "        step = self.momentum * v\n        step -= pull\n",
        "        step = self.momentum**2 * v\n        step -= pull\n",
        "tests/test_inherited_faults.py::test_fault_1_nesterov_looks_ahead_once",
    ),
    code(
        "adam-without-bias-correction",
        RULES,
        "v_share = 1 - self.beta2**self.iter",
        "v_share = 1.0",
        "tests/test_optimizers.py::test_adams_first_step",
    ),
    code(
        "adam-another-default",
        RULES,
        "def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):",
        "def __init__(self, lr=0.001, beta1=0.9, beta2=0.99, eps=1e-8):",
        "tests/test_optimizers.py::test_defaults_are_those_of_the_source_with_the_usual_eps",
    ),
    code(
        "measured-by-one-side",
        "mlcore/gradients.py",
        "return (high - low) / width, ",
        "return 2 * (high - low) / width, ",
        "tests/test_gradients.py::test_numerical_gradient_of_a_cubic",
    ),
    code(
        "decay-of-half-the-size",
        "mlcore/tuning.py",
        "grad += rate * param",
        "grad += rate / 2 * param",
        "tests/test_tuning.py",
    ),
    code(
        "docstring-with-another-result",
        NODES,
        "    array([11., 21.])",
        "    array([11., 22.])",
        "mlcore/nodes.py::mlcore.nodes.Branch",
    ),
    Fault(
        "exercise-solution-wrong",
        "exercises",
        EXERCISES,
        swap('"loss": -np.log(5 / 10),', '"loss": -np.log(4 / 10),'),
        "tests/test_practice.py::test_another_right_answer_passes[three-scores]",
        slow=True,
    ),
    Fault(
        "exercise-wrong-answer-is-right",
        "exercises",
        EXERCISES,
        swap('solution | {"d": "squared"},', 'solution | {"d": "absolute"},'),
        "tests/test_practice.py::test_a_wrong_answer_does_not_pass_and_is_told_why"
        "[choose-the-loss-Squared error belongs to noise that hardly ever makes a large mistake.]",
    ),
    Fault(
        "exercise-notebook-left-behind",
        "exercises",
        EXERCISES,
        swap("What are the exponentials of the scores,", "What are the logarithms of the scores,"),
        "tests/test_practice.py::test_the_stored_notebook_is_what_the_tool_makes[loss_function]",
        slow=True,
    ),
    Fault(
        "check-is-too-kind",
        "exercises",
        "mlcore/teaching/practice.py",
        swap("return np.isclose(a, b, rtol=relative,", "return np.isclose(a, b, rtol=max(relative, 0.5),"),
        "tests/test_practice.py::test_a_wrong_answer_is_refused_with_words[logistic-slope-answer0]",
        slow=True,
    ),
    Fault(
        "frames-of-the-wrong-words",
        "players",
        "mlcore/teaching/visual.py",
        swap(
            "self.frames = list(zip(labels, texts, pictures, strict=True))",
            "self.frames = list(zip(labels, texts[::-1], pictures, strict=True))",
        ),
        "tests/test_visual.py::test_frames_show_each_value_with_its_text_and_leave_no_figure_open",
    ),
]
