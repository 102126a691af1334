#include "CPUFeatures.h"

int nr_cpu_has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && nr_cpu_has_avx2();
}

int nr_cpu_has_avx512_bf16(void) { return __builtin_cpu_supports("avx512bf16") && nr_cpu_has_avx512(); }

int nr_cpu_has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
