"""Training curves of both sides, from the same weights, on the same batches in the same order."""

import statistics
import subprocess

import numpy as np
from safetensors.numpy import load_file, save_file

from rows import CELLS
from side import HERE

EPOCHS, SEEDS, BATCH = 10, 3, 64


def shapes(setting):
    """Files with the images to train on, the order of each epoch, and the images to test on."""
    path = setting.work / "shapes.safetensors"
    subprocess.run([setting.build / "nasrun", HERE / "shapes.lua", "-q", "--trust", "--runs", setting.work / "runs",
                    "--set", f"arrays={path}"], check=True)
    pieces, files = load_file(path), []
    for split in ("train", "test"):
        content = {part: np.concatenate([pieces[name] for name in sorted(pieces) if name.startswith(f"{split}_{part}")])
                   for part in ("images", "labels")}
        random = np.random.default_rng(0)
        content["orders"] = np.stack([random.permutation(len(content["labels"])) for _ in range(EPOCHS)])
        files.append(setting.work / f"shapes_{split}.safetensors")
        save_file({name: np.ascontiguousarray(array, np.float32) for name, array in content.items()}, files[-1])
    return files


def curves(setting, networks):
    """For both sides the accuracies on the test images, a row for each seed, a column for each epoch."""
    train, test = shapes(setting)
    found = [], []
    for seed in range(SEEDS):
        folder = networks.save(network="nasbench201", cell=CELLS["mixed"], side=16, stream=f"seed {seed}")[0]
        files = ["--arrays", train, "--test", test, "--batch", BATCH]
        sides = (setting.native("curve", folder, *files),
                 setting.python("pytorch.py", "curve", "--kind", "nasbench201", "--cell", CELLS["mixed"], "--network",
                                folder, *files))
        for side, rows in zip(sides, found):
            with side:
                rows.append([side.ask(1).value for _ in range(EPOCHS)])
    return found


def report(found):
    yield f"Accuracy on the test images of 'shapes', mean ± deviation of {SEEDS} first weights (mixed cell, N=1):"
    yield "| epoch | nasrun | PyTorch |"
    yield "|---|---|---|"
    for epoch in range(EPOCHS):
        columns = [[row[epoch] for row in rows] for rows in found]
        texts = [f"{statistics.mean(column):.2f} ± {statistics.stdev(column):.2f}" for column in columns]
        yield f"| {epoch + 1} | {texts[0]} | {texts[1]} |"
