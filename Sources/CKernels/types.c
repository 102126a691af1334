#include "CKernels.h"

#include <stddef.h>

// The kernels read these arrays as consecutive elements; a padded element would shift every one after the first.
_Static_assert(sizeof(nr_run) == 8, "a run is two 32-bit numbers");
