"""Make ``mlcore/data/digits.npz`` from the copy of the digits in scikit-learn.

Run ``python tools/make_digits.py`` with scikit-learn installed (it is needed
for nothing else). The images are put in a random order once, here, and stored
in it: the split into training and test images then depends on the file, not
on the random generator of the reader's NumPy. Two runs give the same bytes.

The file holds

* ``images``, uint8 (1797, 64): pixels from 0 to 16, row by row;
* ``labels``, uint8 (1797,): digits from 0 to 9;
* ``order``, uint16 (1797,): the row of each image in the original file.
"""

import sys
from pathlib import Path

import numpy as np

PATH = Path(__file__).resolve().parents[1] / "mlcore" / "data" / "digits.npz"
N_IMAGES = 1797


def shuffled(images, labels):
    """Return the contents of the file as a dict of arrays.

    Parameters
    ----------
    images : array_like, shape (1797, 64)
        Pixels, whole numbers from 0 to 16 in any numeric type.
    labels : array_like, shape (1797,)
        Digits from 0 to 9.

    Raises
    ------
    ValueError
        If the arrays are not the ones described.
    """
    images, labels = np.asarray(images), np.asarray(labels)
    if images.shape != (N_IMAGES, 64) or labels.shape != (N_IMAGES,):
        raise ValueError(f"unexpected shapes {images.shape} and {labels.shape}")
    if not np.isin(images, np.arange(17)).all() or not np.isin(labels, np.arange(10)).all():
        raise ValueError("pixels must be in 0...16 and labels in 0...9, whole numbers")
    order = np.random.default_rng(0).permutation(N_IMAGES)
    return {
        "images": images[order].astype(np.uint8),
        "labels": labels[order].astype(np.uint8),
        "order": order.astype("<u2"),
    }


def main(path=PATH):
    """Write the file."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    # Not compressed: the bytes then do not depend on the version of zlib.
    np.savez(path, **shuffled(images, labels))
    print(f"{path}: {Path(path).stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:2])
