// Memory for the small blocks of a VM. A script that computes on tensors makes and drops hundreds of userdata and tables
// in a step; Lua tells the size of each block that it gives back, so that a list of free ones for each size is enough.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/// Blocks are multiples of so many bytes, aligned to it.
#define GRAIN 16
/// What is asked of the system at a time.
#define SLAB (32 << 10)

struct shim_block { struct shim_block *next; };

static bool is_small(size_t size) { return size > 0 && size <= GRAIN * SHIM_POOL_SIZES; }
static size_t class_of(size_t size) { return (size - 1) / GRAIN; }

/// A new slab, which the VM keeps until it is closed. What is left of the one before is less than a small block.
static bool add_slab(shim_pool *pool) {
  shim_block *slab = malloc(SLAB);
  if (!slab) return false;
  slab->next = pool->slabs;
  pool->slabs = slab;
  pool->next = (char *)slab + GRAIN;
  pool->left = SLAB - GRAIN;
  return true;
}

static void *take(shim_pool *pool, size_t size) {
  if (!is_small(size)) return malloc(size);
  size_t class = class_of(size), bytes = (class + 1) * GRAIN;
  shim_block *block = pool->free[class];
  if (block) {
    pool->free[class] = block->next;
    return block;
  }
  if (pool->left < bytes && !add_slab(pool)) return NULL;
  void *fresh = pool->next;
  pool->next += bytes;
  pool->left -= bytes;
  return fresh;
}

static void give(shim_pool *pool, void *block, size_t size) {
  if (!block) return;
  if (!is_small(size)) {
    free(block);
    return;
  }
  shim_block *freed = block;
  freed->next = pool->free[class_of(size)];
  pool->free[class_of(size)] = freed;
}

void *shim_pool_resize(shim_pool *pool, void *block, size_t old, size_t size) {
  if (size == 0) {
    give(pool, block, old);
    return NULL;
  }
  if (!block) return take(pool, size);
  if (!is_small(old) && !is_small(size)) return realloc(block, size);
  if (is_small(old) && is_small(size) && class_of(old) == class_of(size)) return block;
  void *moved = take(pool, size);
  if (!moved) return NULL;
  memcpy(moved, block, old < size ? old : size);
  give(pool, block, old);
  return moved;
}

void shim_pool_free(shim_pool *pool) {
  while (pool->slabs) {
    shim_block *slab = pool->slabs;
    pool->slabs = slab->next;
    free(slab);
  }
}
