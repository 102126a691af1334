// Which instruction sets this CPU (and its operating system) can run.
#pragma once

int nr_cpu_has_avx512(void);
int nr_cpu_has_avx512_bf16(void);  // AVX-512 with products of bfloat16
int nr_cpu_has_avx2(void);

/// Tells the processor that a loop is waiting.
static inline void nr_cpu_pause(void) { __builtin_ia32_pause(); }
