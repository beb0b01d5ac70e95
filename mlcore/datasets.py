"""The two data sets of section 1.4: a spiral and handwritten digits.

========================  ==================================================
:func:`load_spiral`       300 points in the plane, 3 classes that no straight
                          line can separate; computed from a seed
:func:`load_digits`       1,797 images of handwritten digits, 8 x 8 pixels;
                          a file of this package, so nothing is downloaded
========================  ==================================================

Both return inputs as float64, one example a row, and labels as indices, which
is what the loss layers of :mod:`mlcore.losses` take. Their type is NumPy's for
indices, `intp`: int64, but int32 where Python runs in a browser.
"""

import io

import numpy as np

from mlcore._checks import check_count

__all__ = ["load_digits", "load_spiral"]

N_TRAIN_DIGITS = 1437  # 80 % of 1,797; the other 360 are for testing


def load_spiral(seed=0):
    r"""Make three spiral arms of 100 noisy points each.

    Point i of arm j has the rate :math:`r = i / 100`, which is also its
    distance from the origin, and the angle

    .. math:: \theta = 4 j + 4 r + 0.2\,\varepsilon,
              \qquad \varepsilon \sim \mathcal{N}(0, 1),

    measured from the vertical axis: it lies at
    :math:`(r \sin\theta,\; r \cos\theta)`.

    Parameters
    ----------
    seed : int, default 0
        Seed of the noise, at least 0. The same seed gives the same points.

    Returns
    -------
    x : ndarray, shape (300, 2), float64
        The points, arm after arm, from the origin outwards.
    t : ndarray, shape (300,), intp
        The arm of each point: 0, 1 or 2.

    Raises
    ------
    TypeError
        If ``seed`` is not an integer (a bool is none).
    ValueError
        If ``seed`` is negative.

    Notes
    -----
    The geometry is that of K. Saito, *Deep Learning from Scratch 2*
    (O'Reilly Japan, 2018), section 1.4, after the spiral of Stanford's course
    CS231n; the noise is drawn from NumPy's ``default_rng``.

    Examples
    --------
    >>> x, t = load_spiral(seed=0)
    >>> x.shape, t.shape
    ((300, 2), (300,))
    >>> np.bincount(t)
    array([100, 100, 100])
    >>> float(np.hypot(*x[150]).round(12))  # point 50 of arm 1
    0.5

    References
    ----------
    Section 1.4.
    """
    seed = check_count("load_spiral", "seed", seed, least=0)
    rng = np.random.default_rng(seed)
    arm = np.arange(3)[:, np.newaxis]  # (3, 1)
    rate = np.arange(100) / 100  # (100,)
    theta = 4.0 * arm + 4.0 * rate + 0.2 * rng.standard_normal((3, 100))
    x = np.stack([rate * np.sin(theta), rate * np.cos(theta)], axis=-1)  # (3, 100, 2)
    t = np.repeat(np.arange(3, dtype=np.intp), 100)
    return x.reshape(300, 2), t


def load_digits():
    """Load the handwritten digits, split into training and test images.

    The split is fixed: the file holds the images in an order that was
    shuffled once, and the last 360 are for testing. Every call returns new
    arrays, which the caller may change.

    Returns
    -------
    (x_train, t_train) : tuple of ndarray
        Images, shape (1437, 64), float64, from 0 (paper) to 1 (ink), row by
        row; labels, shape (1437,), intp, from 0 to 9.
    (x_test, t_test) : tuple of ndarray
        The same for the 360 test images.

    Notes
    -----
    E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI
    Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49, licence
    CC BY 4.0. ``data/README.md`` says what was changed. A pixel counts the
    inked points of a 4 x 4 block of the scanned image, 0 to 16; it is divided
    by 16 here.

    Examples
    --------
    >>> (x_train, t_train), (x_test, t_test) = load_digits()
    >>> x_train.shape, t_train.shape, x_test.shape, t_test.shape
    ((1437, 64), (1437,), (360, 64), (360,))
    >>> float(x_train.min()), float(x_train.max())
    (0.0, 1.0)
    >>> int(t_train[0])
    6
    >>> print((16 * x_train[0]).astype(int).reshape(8, 8))
    [[ 0  0  1 13  7  0  0  0]
     [ 0  0  7 14  2  0  0  0]
     [ 0  0 13  5  0  0  0  0]
     [ 0  0 16  3  0  0  0  0]
     [ 0  3 16 10 12 12  3  0]
     [ 0  3 16 11  5  9 12  0]
     [ 0  1 13 11  4 13 11  0]
     [ 0  0  1 12 16 11  2  0]]

    References
    ----------
    Section 1.4.
    """
    # Reads from a zip archive too. Imported here, since it would double the time that mlcore takes to import.
    from importlib.resources import files

    content = (files(__package__) / "data" / "digits.npz").read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        x = file["images"] / 16.0
        t = file["labels"].astype(np.intp)
    n = N_TRAIN_DIGITS
    return (x[:n], t[:n]), (x[n:], t[n:])
