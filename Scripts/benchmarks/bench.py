"""Times the core against PyTorch and ONNX Runtime, and prints a table, as options.py says. Scripts/bench starts it."""

import dataclasses
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import curves
from measures import Plan
from options import parse
from rows import Networks, rows
from side import Setting


def main():
    options = parse()
    # As by Ctrl-C: the processes of both sides end, and what they wrote goes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    if os.getloadavg()[0] > 0.5:
        print("The machine is busy: the row 'cores' is measured by the clock and means nothing.", file=sys.stderr)
    plan = Plan(5, 0.2, options.profile) if options.quick else Plan(11, 0.5, options.profile)
    with tempfile.TemporaryDirectory(prefix="nasrun-bench-") as work:
        setting = Setting(options.build.resolve(), Path(work), options.core, options.kernels)
        networks = Networks(setting)
        if options.curves:
            return print("\n".join(curves.report(curves.curves(setting, networks))))
        results, is_whole = measured(chosen(rows(networks, options.quick), options.only), plan)
    if results:
        print("\n" + "\n".join(table(results)) + "\n\n" + about(time.monotonic() - started))
    if options.json:
        figures = {row.key: [vars(case) for case in cases] for row, cases in results}
        options.json.write_text(json.dumps(figures, indent=1))
    if not is_whole:
        raise KeyboardInterrupt


def measured(wanted, plan):
    """The rows with the cases that were measured, and whether these are all: an interruption ends the measurement."""
    results = []
    try:
        for row in wanted:
            for case in row.cases:
                result = row.measure(case, plan)
                if not results or results[-1][0] is not row:
                    results.append((row, []))
                results[-1][1].append(result)
                show(row, result)
    except KeyboardInterrupt:
        return results, False
    return results, True


def chosen(all_rows, only):
    """The rows that are asked for, or those of their cases."""
    if not only:
        return all_rows
    found = {}
    for text in only:
        key, _, part = text.partition("/")
        row = next((row for row in all_rows if row.key == key), None)
        if not row:
            sys.exit(f"--only {text}: no such row; there are {', '.join(row.key for row in all_rows)}")
        names = [case.name for case in row.cases if part in case.name]
        if not names:
            sys.exit(f"--only {text}: no such case; there are {'; '.join(case.name for case in row.cases)}")
        found.setdefault(key, set()).update(names)
    return [dataclasses.replace(row, cases=[case for case in row.cases if case.name in found[row.key]])
            for row in all_rows if row.key in found]


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


try:
    main()
except KeyboardInterrupt:
    print("Scripts/bench: interrupted; what is above is all that was measured", file=sys.stderr)
    sys.exit(130)
