// Which instruction sets this CPU (and its operating system) can run.
#pragma once

int nr_cpu_has_avx512(void);
int nr_cpu_has_avx2(void);
