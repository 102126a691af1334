"""Decompositions and equations in float64 with NumPy, for the tests of TensorCore's Matrix: linalg.json."""

import json
from pathlib import Path

import numpy as np

from random_stream import Stream


def random(name, *shape):
    stream = Stream(1, name)
    return np.array([stream.normal() for _ in range(int(np.prod(shape)))]).reshape(shape)


def case(name, rows, columns):
    a, right = random(name, rows, columns), random(name + "/right", rows, 2)
    symmetric = a @ a.T / columns + 0.1 * np.eye(rows)
    values = np.linalg.eigvalsh(symmetric)
    least, _, rank, _ = np.linalg.lstsq(a, right, rcond=None)
    sign, logarithm = np.linalg.slogdet(symmetric)
    square = a[:, :rows] if columns >= rows else symmetric
    return {
        "name": name, "matrix": a, "right": right, "symmetric": symmetric, "eigenvalues": values,
        "singular_values": np.linalg.svd(a, compute_uv=False), "logarithm": logarithm,
        "sign": sign, "square": square, "square_sign": np.linalg.slogdet(square)[0],
        "square_logarithm": np.linalg.slogdet(square)[1], "cholesky": np.linalg.cholesky(symmetric),
        "solution": np.linalg.solve(square, right), "least": least, "rank": int(rank),
        "correlations": np.corrcoef(a), "product": a.T @ right,
    }


def deficient():
    """A matrix of rank 2 whose last row is constant."""
    a = np.outer(random("deficient/a", 5), random("deficient/b", 4)) + np.outer(random("deficient/c", 5), np.ones(4))
    right = random("deficient/right", 5, 1)
    least, _, rank, _ = np.linalg.lstsq(a, right, rcond=None)
    return {"name": "deficient", "matrix": a, "right": right, "least": least, "rank": int(rank),
            "singular_values": np.linalg.svd(a, compute_uv=False)}


def json_value(value):
    return np.asarray(value).tolist() if isinstance(value, (np.ndarray, np.generic)) else value


cases = [case("small", 3, 5), case("square", 6, 6), case("tall", 14, 5), case("large", 20, 26), deficient()]
lines = ",\n".join("  " + json.dumps({k: json_value(v) for k, v in c.items()}) for c in cases)
(Path(__file__).parent / "linalg.json").write_text('{"cases": [\n' + lines + "\n]}\n")
