/* What a debugger written in Lua cannot see by itself, as a library for it. */
#ifndef LW_PROBE_H
#define LW_PROBE_H

#include "lua.h"

int lw_open_probe(lua_State *L);

#endif
