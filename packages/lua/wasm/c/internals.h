/* C functions that the host calls like Lua functions, by number (tag INTERNAL of the codec). src/vm.ts mirrors the order. */
#ifndef LW_INTERNALS_H
#define LW_INTERNALS_H

#include "lua.h"

void lw_push_internal(lua_State *L, int number);

#endif
