#ifndef LW_STATE_H
#define LW_STATE_H

#include "lua.h"

/* The thread that runs now. */
extern lua_State *lw_running;

/* The thread that resumed a coroutine, or was running when a call from the host started; NULL at the bottom. */
lua_State **lw_parent(lua_State *L);

/* Pushes any thread of the state. */
void lw_push_thread(lua_State *L, lua_State *thread);

#endif
