"""What is measured of two sides: CPU time in turns, time on the wall of two trials at once, peak memory."""

import os
import statistics
import subprocess
import tempfile
from dataclasses import dataclass


@dataclass
class Plan:
    """How many rounds of how many seconds."""
    rounds: int
    seconds: float
    profile: bool = False


@dataclass
class Result:
    """Of one case: the ratio, theirs over ours, with the least and the largest of the rounds; both sides' medians in
    `unit`; the numbers that both sides returned from their first steps; and where our time went."""
    name: str
    ratio: float
    low: float
    high: float
    ours: float
    theirs: float
    unit: str
    numbers: list
    profile: list


def result(name, ours, theirs, unit, numbers=(), profile=()):
    ratios = [b / a for a, b in zip(ours, theirs)]
    return Result(name, statistics.median(ratios), min(ratios), max(ratios), statistics.median(ours),
                  statistics.median(theirs), unit, numbers, list(profile))


def agreeing(case, ours, theirs):
    """The numbers of the first two steps of both sides, which start from the same weights."""
    numbers = [(ours.ask(1).value, theirs.ask(1).value) for _ in range(2)]
    for (a, b), allowed in zip(numbers, case.agrees):
        if not abs(a - b) <= allowed * max(1, abs(b)):
            raise SystemExit(f"{case.name}: the sides don't compute the same: {a} and {b}")
    return numbers


def repetitions(side, seconds, cycle=1):
    """How many steps take about so long: whole cycles, so that both sides do the same work."""
    return cycle * max(1, round(seconds / max(1e-7, side.ask(2).cpu) / cycle))


def in_turns(case, plan):
    """CPU time, one process after the other on the same core."""
    ours, theirs = case.start()
    with ours, theirs:
        numbers = agreeing(case, ours, theirs)
        counts = [repetitions(side, plan.seconds, case.cycle) for side in (ours, theirs)]
        rounds = [(ours.ask(counts[0]).cpu * 1e3, theirs.ask(counts[1]).cpu * 1e3) for _ in range(plan.rounds)]
        profile = profiled(ours, counts[0] * 4) if plan.profile else []
    return result(case.name, *zip(*rounds), "ms", numbers, profile)


def two_at_once(case, plan):
    """Time on the wall for one step of each of two trials: two processes of ours on two cores at once, against one of
    theirs with two threads, which does one trial after the other."""
    first, second, theirs = case.start()
    rounds = []
    with first, second, theirs:
        for side in (first, second, theirs):
            side.ask(1)
        count, their_count = repetitions(first, plan.seconds), repetitions(theirs, 2 * plan.seconds)
        for _ in range(plan.rounds):
            first.tell(count)
            second.tell(count)
            ours = max(first.hear(count).wall, second.hear(count).wall)
            rounds.append((ours * 1e3, 2 * theirs.ask(their_count).wall * 1e3))
    return result(case.name, *zip(*rounds), "ms on the wall for two steps")


def peak_memory(case, _):
    """Of processes that have done three steps. The ratio is ours over theirs."""
    ours, theirs = case.start()
    with ours, theirs:
        numbers = agreeing(case, ours, theirs)
        ours.ask(1)
        theirs.ask(1)
        ours, theirs = ours.peak_memory(), theirs.peak_memory()
    ratio = ours / theirs
    return Result(case.name, ratio, ratio, ratio, ours, theirs, "MB", numbers, [])


def profiled(side, count):
    """Where the time of `count` steps goes: the functions that take more than a hundredth, by perf."""
    with tempfile.NamedTemporaryFile() as file:
        watch = subprocess.Popen(["perf", "record", "-q", "-o", file.name, "-p", str(side.process.pid)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            os.waitid(os.P_PID, watch.pid, os.WNOHANG | os.WEXITED)
            side.ask(count)
        finally:
            watch.send_signal(2)
            watch.wait()
        report = subprocess.run(
            ["perf", "report", "-i", file.name, "--stdio", "--no-children", "-F", "overhead,symbol", "--percent-limit",
             "1"], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    lines = "\n".join(line.strip() for line in report.splitlines() if line.strip() and not line.startswith("#"))
    return subprocess.run(["swift", "demangle", "-simplified"], input=lines, text=True,
                          stdout=subprocess.PIPE).stdout.splitlines()
