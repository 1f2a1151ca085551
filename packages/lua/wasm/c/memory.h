#ifndef LW_MEMORY_H
#define LW_MEMORY_H

#include <stddef.h>

void *lw_allocate(void *ud, void *block, size_t old_size, size_t size);

#endif
