"""A pair of files: NAME.json describes cases, NAME.safetensors holds their tensors as CASE/TENSOR."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

FOLDER = Path(__file__).parent


def layout(array, kind):
    """The array in nasrun's layout; `kind` tells what PyTorch's axes mean."""
    array = np.asarray(array)
    order = {"image": (0, 2, 3, 1), "conv": (2, 3, 1, 0), "linear": (1, 0), "plain": None}[kind]
    return np.ascontiguousarray(array if order is None else array.transpose(order))


class ReferenceFile:
    def __init__(self, name):
        self.name, self.cases, self.tensors = name, [], {}

    def add(self, name, op, tensors, attributes=None, float32=None, **fields):
        """`tensors`: name -> array in nasrun's layout; `float32`: the same results as PyTorch computes them in
        float32, whose largest error relative to the largest magnitude (at least 1e-3) is noted."""
        case = {"name": name, "op": op, "attributes": attributes or {}, "tensors": list(tensors), **fields}
        if float32:
            case["float32_error"] = {key: relative_error(value, tensors[key]) for key, value in float32.items()}
        for key, value in tensors.items():
            value = np.asarray(value)
            kind = np.int32 if value.dtype.kind == "i" else np.float32
            self.tensors[f"{name}/{key}"] = np.ascontiguousarray(value, dtype=kind)
        self.cases.append(case)

    def write(self):
        save_file(self.tensors, FOLDER / f"{self.name}.safetensors")
        lines = ",\n".join("  " + json.dumps(case) for case in self.cases)
        (FOLDER / f"{self.name}.json").write_text('{"cases": [\n' + lines + "\n]}\n")


def relative_error(value, reference):
    value, reference = np.asarray(value, np.float64), np.asarray(reference, np.float64)
    return float(f"{np.abs(value - reference).max() / max(np.abs(reference).max(), 1e-3):.3g}")
