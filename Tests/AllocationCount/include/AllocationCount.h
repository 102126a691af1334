// Counts what a thread asks the C library for: the tests are linked with functions of the library's names.
#pragma once

/// How often this thread has asked for memory: malloc, calloc, realloc, aligned_alloc, posix_memalign, mmap.
long allocation_count(void);
