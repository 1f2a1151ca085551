/* What the patched VM asks of the debugger (debugger.c). Included by lvm.c, ldebug.c, lfunc.c and ldo.c. */
#ifndef LW_DEBUGGER_H
#define LW_DEBUGGER_H

#include "control.h"
#include "lobject.h"
#include "lstate.h"

enum { LW_RUN, LW_STEP_IN, LW_STEP_OVER, LW_STEP_OUT };

/* Does the frame need tracing? Cheap enough to ask at every function entry and return: one load when no debugger is on. */
#define lw_wants_trace(L, ci, p) \
  (lw_control.tracing && ((p)->breakpoints || ((lw_control.step_mode | lw_control.recording) && lw_steps_in(L, ci))))

int lw_steps_in(lua_State *L, CallInfo *ci);
void lw_attention(lua_State *L);
void lw_trace(lua_State *L, const Proto *p, int pc);
void lw_enter(lua_State *L, CallInfo *ci);
void lw_on_error(lua_State *L);
void lw_on_throw(lua_State *L, int status);
void lw_free_breakpoints(Proto *p);
int lw_resume(lua_State *L, lua_State *from, int argument_count, int *result_count);

#endif
