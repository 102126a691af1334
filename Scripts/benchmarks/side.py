"""One side of a comparison: a process that does a kind of work when it is told to."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent

# What keeps PyTorch to an instruction set of ours; ONNX Runtime can't be kept.
INSTRUCTION_SETS = {
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"},
    "base": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
}

# PyTorch loses a tenth to a fifth to page faults without it.
TUNED_MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_TOP_PAD_": "268435456",
}


@dataclass
class Answer:
    """CPU seconds for one step, the number it returned, and seconds on the wall (None from Lua)."""
    cpu: float
    value: float
    wall: float | None


class Side:
    """Starts pinned to cores; `ask(n)` has it do n steps. It ends when nobody can ask any more; Ctrl-C is not for it."""

    def __init__(self, command, cores, environment=None):
        self.command = [str(part) for part in command]
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, start_new_session=True,
            env={**os.environ, **(environment or {})}, preexec_fn=lambda: os.sched_setaffinity(0, cores))
        try:
            self.expect("ready")
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def expect(self, word):
        line = self.process.stdout.readline()
        if line.strip() != word:
            raise SystemExit(f"{' '.join(self.command)}\nsaid {line!r} where {word!r} was expected")

    def tell(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()

    def hear(self, count):
        parts = self.process.stdout.readline().split()
        if len(parts) < 2:
            raise SystemExit(f"{' '.join(self.command)}\nended without an answer")
        cpu, value, *wall = map(float, parts)
        return Answer(cpu / count, value, wall[0] / count if wall else None)

    def ask(self, count):
        self.tell(count)
        return self.hear(count)

    def peak_memory(self):
        """The most megabytes that the process ever had in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@dataclass
class Setting:
    """Where things are, and on which core they run."""
    build: Path
    work: Path
    core: int
    kernels: str | None

    def native(self, *arguments, cores=None):
        """Our core, by its public functions."""
        kernels = ["--kernels", self.kernels] if self.kernels else []
        return Side([self.build / "bench", *arguments, *kernels], cores or {self.core})

    def recipe(self, file, **settings):
        """A Lua script on our core."""
        kernels = ["--kernels", self.kernels] if self.kernels else []
        pairs = [f"{name}={value}" for name, value in settings.items()]
        options = ["-q", "--trust", "--threads", 1, "--seconds-between-calls", 86400, "--runs", self.work / "runs"]
        return Side([self.build / "nasrun", HERE / file, *options, *kernels, "--set", *pairs], {self.core})

    def python(self, file, *arguments, cores=None, threads=1, environment=TUNED_MALLOC):
        return Side([sys.executable, HERE / file, *arguments], cores or {self.core},
                    {**environment, **INSTRUCTION_SETS.get(self.kernels, {}), "OMP_NUM_THREADS": str(threads)})
