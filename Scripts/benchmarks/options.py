"""What Scripts/bench is told. It runs this file first, by any Python: nobody waits for a build to read of a mistake."""

import argparse
import os
from pathlib import Path

ABOUT = """Times the core against PyTorch and ONNX Runtime, and prints a table. Both sides are pinned to one core and take
turns; what counts is the CPU time of their processes. A ratio is theirs over ours, the median of the rounds, with the
least and the largest of them."""


def parse():
    cores = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(prog="Scripts/bench", description=ABOUT, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and batch 64 alone: five minutes")
    parser.add_argument("--only", action="append", metavar="ROW[/CASE]",
                        help="rows by their names, or cases by a part of theirs; may be repeated")
    parser.add_argument("--core", type=int, default=cores[-1], choices=cores, help="that both sides run on")
    parser.add_argument("--kernels", choices=["avx512", "avx2", "base"],
                        help="the instruction set of ours and of PyTorch's; the fastest by default")
    parser.add_argument("--profile", action="store_true", help="say where our time goes (needs perf)")
    parser.add_argument("--curves", action="store_true", help="train both sides for some epochs, and time nothing")
    parser.add_argument("--json", type=writable, metavar="FILE", help="write all figures")
    # From Scripts/bench: the folder with nasrun and bench.
    parser.add_argument("--build", type=Path, default=Path(".build/release"), help=argparse.SUPPRESS)
    return parser.parse_args()


def writable(text):
    """A file to write at the end."""
    path = Path(text)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"can't write {text}")
    return path


if __name__ == "__main__":
    parse()
