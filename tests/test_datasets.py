"""The data sets: what is in them, that it never changes, and that bad seeds are refused."""

import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from mlcore.datasets import load_digits, load_spiral

ROOT = Path(__file__).parents[1]


def sha256(array, dtype):
    return hashlib.sha256(np.ascontiguousarray(array, dtype=dtype).tobytes()).hexdigest()


# -- spiral --------------------------------------------------------------------


def arms(seed):
    """Radius and noise of the points, shape (3, 100) each, recovered from the coordinates.

    The points at the origin (i = 0) have no angle: their noise comes out meaningless.
    """
    x, _ = load_spiral(seed)
    x = x.reshape(3, 100, 2)
    radius = np.hypot(x[..., 0], x[..., 1])
    theta = np.arctan2(x[..., 0], x[..., 1])
    expected = 4 * np.arange(3)[:, np.newaxis] + 4 * np.arange(100) / 100
    noise = (theta - expected + np.pi) % (2 * np.pi) - np.pi
    return radius, noise


def test_spiral_shapes_and_types():
    x, t = load_spiral()
    assert x.shape == (300, 2) and x.dtype == np.float64
    assert t.shape == (300,) and t.dtype == np.intp


def test_spiral_has_three_arms_of_100_points_in_order():
    _, t = load_spiral(seed=3)
    assert t.tolist() == [0] * 100 + [1] * 100 + [2] * 100


@pytest.mark.parametrize("seed", [0, 1, 2024])
def test_spiral_radius_is_the_rate(seed):
    radius, _ = arms(seed)
    np.testing.assert_allclose(radius, np.tile(np.arange(100) / 100, (3, 1)), rtol=1e-15, atol=0)


def test_spiral_noise_is_normal_with_deviation_one_fifth():
    noise = np.stack([arms(seed)[1][:, 1:] for seed in range(20)])  # (20, 3, 99)
    n = noise.size
    assert abs(noise.mean()) < 4 * 0.2 / np.sqrt(n)
    assert abs(noise.std() - 0.2) < 4 * 0.2 / np.sqrt(2 * n)
    # A normal variable stays within one deviation with probability 0.6827.
    assert abs(np.mean(np.abs(noise) < 0.2) - 0.6827) < 4 * np.sqrt(0.6827 * 0.3173 / n)
    # No noise is used twice: neither for all arms nor for all points.
    assert np.unique(noise.round(9)).size == n


def test_spiral_follows_the_formula_point_by_point():
    noise = np.random.default_rng(5).standard_normal(300)
    x, t = load_spiral(seed=5)
    for k in (0, 1, 99, 100, 157, 299):
        arm, i = divmod(k, 100)
        rate = i / 100
        theta = 4 * arm + 4 * rate + 0.2 * noise[k]
        np.testing.assert_allclose(x[k], [rate * np.sin(theta), rate * np.cos(theta)], rtol=1e-14, atol=1e-15)
        assert t[k] == arm


def test_spiral_same_seed_same_points_and_default_seed_is_0():
    np.testing.assert_array_equal(load_spiral(7)[0], load_spiral(np.int32(7))[0])
    np.testing.assert_array_equal(load_spiral()[0], load_spiral(0)[0])
    assert not np.array_equal(load_spiral(0)[0][1:], load_spiral(1)[0][1:])


def test_spiral_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    load_spiral(0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("seed", [True, np.True_, 1.0, np.float64(0), "0", None, [0], np.array([0])])
def test_spiral_refuses_seeds_that_are_not_integers(seed):
    with pytest.raises(TypeError, match="seed must be an integer"):
        load_spiral(seed)


@pytest.mark.parametrize("seed", [-1, np.int64(-5)])
def test_spiral_refuses_negative_seeds(seed):
    with pytest.raises(ValueError, match="seed must be at least 0; got -"):
        load_spiral(seed)


# -- digits --------------------------------------------------------------------


def test_digits_shapes_and_types():
    for (x, t), n in zip(load_digits(), (1437, 360), strict=True):
        assert x.shape == (n, 64) and x.dtype == np.float64
        assert t.shape == (n,) and t.dtype == np.intp


def test_digits_pixels_are_sixteenths_from_0_to_1():
    for x, _ in load_digits():
        np.testing.assert_array_equal(np.unique(x), np.arange(17) / 16)


def test_digits_split_is_fixed():
    (x_train, t_train), (x_test, t_test) = load_digits()
    found = {
        "x_train": sha256(16 * x_train, "u1"),
        "t_train": sha256(t_train, "u1"),
        "x_test": sha256(16 * x_test, "u1"),
        "t_test": sha256(t_test, "u1"),
    }
    assert found == {
        "x_train": "1f1bf55270b20127f5c5ff6ea50450899623421b9bb14cb2f82cf6ef53315acf",
        "t_train": "2b11282ac0c9af15c6e440ea3209a19e467e9c3f5787227001b1e8de89b6cafa",
        "x_test": "fe6e2083756fdae81f16c5e5d75e3b22573ec192a46d4d9f7314883b9dd63848",
        "t_test": "78326c297ed5b04d99ee45f8fa208c1dabd6c49cb8fa66230238c95ceb33ee29",
    }


def test_digits_class_counts():
    (_, t_train), (_, t_test) = load_digits()
    train, test = np.bincount(t_train), np.bincount(t_test)
    assert train.tolist() == [139, 145, 130, 155, 139, 150, 144, 152, 144, 139]
    assert test.tolist() == [39, 37, 47, 28, 42, 32, 37, 27, 30, 41]
    # The totals that the source states for its test part.
    assert (train + test).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_digits_no_image_is_in_both_parts_or_twice():
    (x_train, _), (x_test, _) = load_digits()
    assert len(np.unique(np.concatenate([x_train, x_test]), axis=0)) == 1797


def test_digits_every_original_image_is_there_once_and_unaltered():
    with np.load(ROOT / "mlcore" / "data" / "digits.npz", allow_pickle=False) as file:
        order, images, labels = file["order"], file["images"], file["labels"]
    assert np.sort(order).tolist() == list(range(1797))
    back = np.argsort(order)  # into the order of the source
    assert sha256(images[back], "u1") == "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
    assert labels[back][:20].tolist() == [*range(10), *range(10)]


def test_digits_calls_return_fresh_arrays_that_may_be_changed():
    first, second = load_digits(), load_digits()
    arrays = [a for part in first for a in part]
    for i, a in enumerate(arrays):
        assert a.flags.writeable
        assert not any(np.shares_memory(a, b) for b in arrays[i + 1 :])
        a[...] = 9
    for part, fresh in zip(second, load_digits(), strict=True):
        for a, b in zip(part, fresh, strict=True):
            np.testing.assert_array_equal(a, b)
            assert not (a == 9).all()


def test_digits_load_from_a_zip_archive(tmp_path):
    archive = tmp_path / "mlcore.zip"
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("mlcore/__init__.py", "")
        for name in ("mlcore/datasets.py", "mlcore/_checks.py", "mlcore/data/digits.npz"):
            z.write(ROOT / name, name)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import mlcore.datasets as d; "
        "assert sys.argv[1] in d.__file__, d.__file__; print(d.load_digits()[0][0].sum())"
    )
    run = subprocess.run([sys.executable, "-c", program, str(archive)], cwd=tmp_path, capture_output=True, text=True)
    assert run.stderr == ""
    assert float(run.stdout) == load_digits()[0][0].sum()


def test_digits_package_names_source_and_licence():
    for name in ("README.md", "LICENSE-digits"):
        text = (files("mlcore") / "data" / name).read_text(encoding="utf-8")
        for fact in ("E. Alpaydin", "C. Kaynak", "https://doi.org/10.24432/C50P49", "CC BY 4.0"):
            assert fact in text, (name, fact)


# -- tools/make_digits.py ------------------------------------------------------


@pytest.fixture(scope="module")
def make_digits():
    spec = importlib.util.spec_from_file_location("make_digits", ROOT / "tools" / "make_digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_make_digits_makes_the_stored_file_from_the_original_order(make_digits, tmp_path):
    stored = ROOT / "mlcore" / "data" / "digits.npz"
    with np.load(stored, allow_pickle=False) as file:
        back = np.argsort(file["order"])
        images, labels = file["images"][back], file["labels"][back]
    np.savez(tmp_path / "again.npz", **make_digits.shuffled(images.astype(float), labels.astype(int)))
    with np.load(stored) as a, np.load(tmp_path / "again.npz") as b:
        assert a.files == b.files
        for name in a.files:
            assert a[name].dtype == b[name].dtype
            np.testing.assert_array_equal(a[name], b[name])


@pytest.mark.parametrize(("n_images", "n_labels"), [(1796, 1797), (1797, 1798), (1796, 1796)])
def test_make_digits_refuses_other_shapes(make_digits, n_images, n_labels):
    with pytest.raises(ValueError, match=rf"\({n_images}, 64\) and \({n_labels},\)"):
        make_digits.shuffled(np.zeros((n_images, 64)), np.zeros(n_labels))


@pytest.mark.parametrize(("pixel", "label"), [(17, 0), (0.5, 0), (-1, 0), (np.nan, 0), (0, 10), (0, -1), (0, 0.5)])
def test_make_digits_refuses_other_values(make_digits, pixel, label):
    images, labels = np.zeros((1797, 64)), np.zeros(1797)
    images[3, 4], labels[5] = pixel, label
    with pytest.raises(ValueError, match="pixels must be in"):
        make_digits.shuffled(images, labels)
