"""Every public callable on stored hard cases: the right answer, or an error that names it and leaves all as it was."""

import numpy as np
import pytest
from hard_cases import CALLS, FLOATS, FORMS, NOT_REAL, PARAMETER_FORMS
from helpers import untouched


def names_of(call):
    """Who may speak in an error: the callable, or the layer in which it happens."""
    name = call.partition(",")[0]
    return {"Sequential": "^(Affine|SigmoidWithLoss)", "fit": "^(fit|Affine)", "Sigmoid": "^[sS]igmoid"}.get(name, name)


def outcome(call, arrays):
    """All that a call returns, as native arrays."""
    result = call(*arrays)
    parts = result if isinstance(result, list) else [result]
    return [np.array(a, np.asarray(a).dtype.newbyteorder("=")) for a in parts]


def assert_same(actual, expected, dtype):
    """The same to a few roundings: where the order of sums is free, or exp has one way for each stride."""
    for a, e in zip(actual, expected, strict=True):
        assert a.dtype == e.dtype and a.shape == e.shape
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a, e, rtol=16 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)
        else:
            np.testing.assert_array_equal(a, e)


def flags(x):
    return (x.dtype, x.shape, x.strides, x.flags.writeable) if isinstance(x, np.ndarray) else None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("call", CALLS)
def test_how_numbers_are_stored_makes_no_difference(call, form):
    function, plain, parameters = CALLS[call]
    for dtype in FLOATS:
        arrays = [a.astype(dtype) for a in plain]
        expected = outcome(function, [a.copy() for a in arrays])
        for k in range(len(arrays)):
            if k in parameters and form not in PARAMETER_FORMS:
                continue
            given = [FORMS[form](a) if i == k else a.copy() for i, a in enumerate(arrays)]
            before = [flags(a) for a in given]
            read = [a for i, a in enumerate(given) if i not in parameters]
            with untouched(*read):
                assert_same(outcome(function, given), expected, dtype)
            assert [flags(a) for a in given] == before


@pytest.mark.parametrize("wrong", NOT_REAL)
@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_array_of_real_numbers_is_refused_by_name(call, wrong):
    function, plain, parameters = CALLS[call]
    for k in range(len(plain)):
        given = [NOT_REAL[wrong] if i == k else a.copy() for i, a in enumerate(plain)]
        with untouched(*given), pytest.raises(TypeError, match=names_of(call)):
            function(*given)
