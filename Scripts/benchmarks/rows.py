"""The rows of the table: what is compared, and how the two sides are started."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
from safetensors.numpy import save_file

import measures
from networks import CLASSES
from side import HERE

CELLS = {
    "all conv3×3": "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "mixed": "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|",
    "light": "|nor_conv_1x1~0|+|skip_connect~0|avg_pool_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_1x1~2|",
}
TWO_CORES = set(sorted(os.sched_getaffinity(0))[-2:])
# The second loss of a deep network depends on every ReLU of the first step whose input is a rounding error from 0: of
# N=5, PyTorch's own in float32 and float64 are that far apart.
DEEP = (1e-4, 2e-2)
# In bfloat16 a number has 8 bits.
ROUNDED = (5e-3, 5e-3)
INPUTS = {"nasbench201": (32, 32, 3), "transformer": (32, 32, 3), "mobile": (28, 28, 1)}


@dataclass
class Case:
    """`start` returns the sides: ours, then theirs. `agrees` is how far the numbers of their first and second steps may
    differ, relative; empty where they have nothing in common. `cycle` is after how many steps the work begins again."""
    name: str
    start: object
    agrees: tuple = (1e-4, 1e-3)
    cycle: int = 1


@dataclass
class Row:
    """A row of the table: the geometric mean of its cases is to be at least `wanted`, and each of them at least `each`;
    of memory, at most."""
    key: str
    title: str
    against: str
    wanted: float
    each: float | None = None
    cases: list = field(default_factory=list)
    measure: object = measures.in_turns

    def holds(self, ratio, wanted):
        return ratio <= wanted if self.measure is measures.peak_memory else ratio >= wanted


class Networks:
    """Networks as nasrun saves them, and batches of noise for them; each is made once."""

    def __init__(self, setting):
        self.setting, self.folders = setting, {}

    def save(self, **settings):
        """The folders of saved networks."""
        key = json.dumps(settings)
        if key not in self.folders:
            command = [self.setting.build / "nasrun", HERE / "networks.lua", "-q", "--runs", self.setting.work / "runs",
                       "--set", *(f"{name}={value}" for name, value in settings.items())]
            output = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
            self.folders[key] = output.split()
        return self.folders[key]

    def batch(self, kind, count):
        """A file with images and labels."""
        path = self.setting.work / f"{kind}_{count}.safetensors"
        if not path.exists():
            images = np.random.default_rng(0).standard_normal((count, *INPUTS[kind]), np.float32)
            save_file({"images": images, "labels": (np.arange(count) % CLASSES).astype(np.float32)}, path)
        return path


@dataclass
class Subject:
    """A network of the benchmark."""
    networks: Networks
    kind: str
    cell: str = ""
    cells: int = 1

    @property
    def agrees(self):
        return Case.agrees if self.cells == 1 else DEEP

    @property
    def folder(self):
        return self.networks.save(network=self.kind, cell=self.cell, cells=self.cells)[0]

    def python_arguments(self):
        return ["--kind", self.kind, "--cell", self.cell, "--cells", self.cells, "--network", self.folder]

    def train(self, batch, precision="fp32"):
        setting, arrays = self.networks.setting, self.networks.batch(self.kind, batch)
        arguments = ["--arrays", arrays, "--precision", precision]
        return (setting.native("train", self.folder, *arguments),
                setting.python("pytorch.py", "train", *self.python_arguments(), *arguments))

    def train_rounded(self, batch):
        """Ours in bfloat16, and ours in fp32."""
        setting, arrays = self.networks.setting, self.networks.batch(self.kind, batch)
        return tuple(setting.native("train", self.folder, "--arrays", arrays, "--precision", precision)
                     for precision in ("bf16", "fp32"))

    def train_two(self):
        """Two trials of ours on two cores, and PyTorch with two threads."""
        setting, arrays = self.networks.setting, self.networks.batch(self.kind, 64)
        ours = [setting.native("train", self.folder, "--arrays", arrays, cores={core}) for core in TWO_CORES]
        theirs = setting.python("pytorch.py", "train", *self.python_arguments(), "--arrays", arrays, "--threads", 2,
                                cores=TWO_CORES, threads=2)
        return (*ours, theirs)

    def train_plainly(self):
        """As one would without tuning: what tuned malloc takes doesn't count against PyTorch's memory."""
        setting, arrays = self.networks.setting, self.networks.batch(self.kind, 64)
        return (setting.native("train", self.folder, "--arrays", arrays),
                setting.python("pytorch.py", "train", *self.python_arguments(), "--arrays", arrays, "--plain",
                               environment={}))

    def infer(self):
        setting, arrays = self.networks.setting, self.networks.batch(self.kind, 1)
        arguments = [*self.python_arguments(), "--arrays", arrays]
        subprocess.run([sys.executable, HERE / "onnx_runtime.py", *map(str, arguments), "--export"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (setting.native("infer", self.folder, "--arrays", arrays),
                setting.python("onnx_runtime.py", *arguments))

    def proxy(self, name):
        setting, arrays = self.networks.setting, self.networks.setting.work / "proxy.safetensors"
        ours = setting.recipe("proxy.lua", proxy=name, network=self.folder, arrays=arrays)
        theirs = setting.python("pytorch.py", "proxy", *self.python_arguments(), "--arrays", arrays, "--proxy", name)
        return ours, theirs


# MARK: rows

def rows(networks, quick):
    setting = networks.setting
    sizes = [("N=1", 1), ("N=5", 5)]
    cells = {(name, label): Subject(networks, "nasbench201", cell, count)
             for name, cell in CELLS.items() for label, count in sizes}
    blocks = {"MobileNet-like": Subject(networks, "mobile"), "ViT block": Subject(networks, "transformer")}
    batches = [64] if quick else [64, 128]
    return [
        Row("training", "training step, NAS-Bench-201 cells", "PyTorch", 2.2, 1.8,
            [Case(f"{name}, {label}, batch {batch}", lambda s=subject, b=batch: s.train(b), subject.agrees)
             for (name, label), subject in cells.items() for batch in batches]),
        Row("mobile", "training step, MobileNet-like block stack", "PyTorch", 2.5,
            cases=[Case("batch 64", lambda: blocks["MobileNet-like"].train(64))]),
        Row("vit", "training step, ViT block", "PyTorch", 1.7,
            cases=[Case("batch 64", lambda: blocks["ViT block"].train(64))]),
        Row("bf16", "training step, ViT block, linear layers in bfloat16", "PyTorch, autocast to bfloat16", 1.3,
            cases=[Case("batch 64", lambda: blocks["ViT block"].train(64, "bf16"), ROUNDED)]),
        Row("gain", "the same step in bfloat16", "nasrun in fp32", 1.3,
            cases=[Case("batch 64", lambda: blocks["ViT block"].train_rounded(64), ROUNDED)]),
        Row("controller", "LSTM controller update", "PyTorch", 6,
            cases=[Case("20 steps", lambda: controller(setting))]),
        Row("relaxed", "DARTS relaxed NAS-Bench-201 supernet step", "PyTorch", 2,
            cases=[Case("N=1, batch 64", lambda: relaxed(setting, cells=1, batch=64))]),
        Row("latency", "batch-1 latency of the same networks", "ONNX Runtime", 1.5, 1.2,
            [Case(f"{name}, {label}", subject.infer, (1e-3, 1e-3)) for (name, label), subject in cells.items()]
            + [Case(name, subject.infer, (1e-3, 1e-3)) for name, subject in blocks.items()]),
        Row("cores", "two one-thread trials on two cores, batch 64", "PyTorch, 2 threads", 2.1,
            cases=[Case(f"{name}, N=1", cells[name, "N=1"].train_two) for name in CELLS], measure=measures.two_at_once),
        Row("memory", "peak memory of a training process, batch 64, N=1", "PyTorch", 0.35,
            cases=[Case("mixed, N=1", cells["mixed", "N=1"].train_plainly)], measure=measures.peak_memory),
        Row("memory5", "peak memory of a training process, batch 64, N=5", "PyTorch", 0.5,
            cases=[Case("mixed, N=5", cells["mixed", "N=5"].train_plainly, DEEP)], measure=measures.peak_memory),
        Row("proxies", "zero-cost proxies, N=5, batch 64", "PyTorch", 2.5,
            cases=[Case(name, lambda n=name: cells["mixed", "N=5"].proxy(n), DEEP[1:] * 2)
                   for name in ("naswot", "synflow", "snip")]),
        Row("first", "first training step of a never-seen architecture", "PyTorch", 2,
            cases=[Case("N=1, batch 64", lambda: first(networks, 20), (), cycle=20)]),
    ]


def controller(setting):
    arrays = setting.work / "controller.safetensors"
    return (setting.recipe("controller.lua", arrays=arrays),
            setting.python("pytorch.py", "controller", "--arrays", arrays))


def relaxed(setting, cells, batch):
    arrays = setting.work / "relaxed.safetensors"
    return (setting.recipe("relaxed.lua", data=write_images(setting.work / "images"), cells=cells, batch=batch,
                           arrays=arrays),
            setting.python("pytorch.py", "relaxed", "--cells", cells, "--arrays", arrays))


def first(networks, count):
    """Our graphs are read from JSON, where a recipe would have its build function called."""
    setting, arrays = networks.setting, networks.batch("nasbench201", 64)
    folders = networks.save(network="nasbench201", random=count)
    cells = [json.load(open(f"{folder}/architecture.json"))["text"] for folder in folders]
    return (setting.native("first", *folders, "--arrays", arrays),
            setting.python("pytorch.py", "first", "--cell", json.dumps(cells), "--arrays", arrays))


def write_images(folder):
    """Noise in the form of CIFAR-10: shape and classes for a relaxed space."""
    folder.mkdir(exist_ok=True)
    pixels = np.random.default_rng(0)
    for name in [f"data_batch_{part}" for part in range(1, 6)] + ["test_batch"]:
        records = [bytes([label]) + pixels.bytes(3072) for label in range(CLASSES)]
        (folder / f"{name}.bin").write_bytes(b"".join(records))
    return folder
