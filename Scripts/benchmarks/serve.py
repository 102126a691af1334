"""Answers the driver: a line with a number n is n calls of `step`; the answer is the CPU seconds of this process that
they took, the number that the last returned, and the seconds on the wall."""

import sys
import time


def serve(step):
    print("ready", flush=True)
    for line in sys.stdin:
        cpu, wall, value = time.process_time(), time.perf_counter(), None
        for _ in range(int(line)):
            value = step()
        print(time.process_time() - cpu, float(value), time.perf_counter() - wall, flush=True)
