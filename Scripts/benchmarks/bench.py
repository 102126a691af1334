"""Times the core against PyTorch and ONNX Runtime, and prints a table. Scripts/bench starts it.

Both sides are pinned to one core and take turns; what counts is the CPU time of their processes. A ratio is theirs over
ours, the median of the rounds, with the least and the largest of them."""

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import curves
from measures import Plan
from rows import Networks, rows
from side import Setting


def main():
    options = parse()
    started = time.monotonic()
    if os.getloadavg()[0] > 0.5:
        print("The machine is busy: the row 'cores' is measured by the clock and means nothing.", file=sys.stderr)
    plan = Plan(5, 0.2, options.profile) if options.quick else Plan(11, 0.5, options.profile)
    with tempfile.TemporaryDirectory(prefix="nasrun-bench-") as work:
        setting = Setting(options.build.resolve(), Path(work), options.core, options.kernels)
        networks = Networks(setting)
        if options.curves:
            return print("\n".join(curves.report(curves.curves(setting, networks))))
        results = []
        for row in chosen(rows(networks, options.quick), options.only):
            cases = []
            for case in row.cases:
                cases.append(row.measure(case, plan))
                show(row, cases[-1])
            results.append((row, cases))
    print("\n" + "\n".join(table(results)) + "\n\n" + about(time.monotonic() - started))
    if options.json:
        figures = {row.key: [vars(case) for case in cases] for row, cases in results}
        options.json.write_text(json.dumps(figures, indent=1))


def chosen(all_rows, only):
    """The rows that are asked for, or those of their cases."""
    if not only:
        return all_rows
    found, wanted = [], [text.partition("/")[::2] for text in only]
    for row in all_rows:
        parts = [part for key, part in wanted if key == row.key]
        cases = [case for case in row.cases if any(part in case.name for part in parts)]
        if cases:
            found.append(dataclasses.replace(row, cases=cases))
    if not found:
        sys.exit(f"no such row; there are {', '.join(row.key for row in all_rows)}")
    return found


# MARK: what is printed

def show(row, case):
    """A case as soon as it is measured."""
    losses = ", ".join(f"{a:.6g} = {b:.6g}" for a, b in case.numbers)
    print(f"{row.key:<11}{case.name:<28}{case.ratio:5.2f} ({case.low:.2f}…{case.high:.2f})  "
          f"{case.ours:.3f} and {case.theirs:.3f} {case.unit}" + (f"; {losses}" if losses else ""), flush=True)
    for line in case.profile:
        print("    " + line)


def table(results):
    """The rows as Markdown."""
    yield "| work (fp32, one thread each unless said) | against | ratio | cases | wanted |"
    yield "|---|---|---|---|---|"
    for row, cases in results:
        mean = statistics.geometric_mean([case.ratio for case in cases])
        ratios = [case.ratio for case in cases] if cases[1:] else [cases[0].low, cases[0].high]
        wanted = f"{row.wanted} ×" + (f", each {row.each} ×" if row.each else "")
        if not row.holds(mean, row.wanted) or row.each and not all(row.holds(case.ratio, row.each) for case in cases):
            wanted += " (missed)"
        spread = f"{min(ratios):.2f}…{max(ratios):.2f}"
        yield f"| {row.title} | {row.against} | **{mean:.2f} ×** | {spread} | {wanted} |"


def about(seconds):
    """What the numbers depend on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "onnxruntime"))
    return (f"{date.today()}, {processor()}, {packages}, Python {platform.python_version()}; load "
            f"{os.getloadavg()[0]:.1f}; {seconds / 60:.1f} minutes. The column `cases` has the range over a row's cases, "
            "of a single one over its rounds.")


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def parse():
    parser = argparse.ArgumentParser(prog="Scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and batch 64 alone: five minutes")
    parser.add_argument("--only", action="append", metavar="ROW[/CASE]",
                        help="rows by their names, or cases by a part of theirs; may be repeated")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="that both sides run on")
    parser.add_argument("--kernels", choices=["avx512", "avx2", "base"],
                        help="the instruction set of ours and of PyTorch's; the fastest by default")
    parser.add_argument("--profile", action="store_true", help="say where our time goes (needs perf)")
    parser.add_argument("--curves", action="store_true", help="train both sides for some epochs, and time nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--build", type=Path, metavar="FOLDER", required=True, help="with nasrun and bench")
    return parser.parse_args()


main()
