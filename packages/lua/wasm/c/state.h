#ifndef LW_STATE_H
#define LW_STATE_H

#include "lua.h"

/* The thread that runs now. */
extern lua_State *lw_running;

/* The thread that resumed a coroutine, or was running when a call from the host started; NULL at the bottom. */
lua_State **lw_parent(lua_State *L);

/* A coroutine that runs code which takes it for the main thread; NULL: none. */
extern lua_State *lw_main_stand_in;

/* Pushes any thread of the state. */
void lw_push_thread(lua_State *L, lua_State *thread);

/* Keeps text and traceback of the error value on top, as raised in `thread`, for the host. */
void lw_keep_failure(lua_State *L, lua_State *thread);

/* Is it the value that an interrupt raises? */
int lw_is_interrupt(lua_State *L, int index);

#endif
