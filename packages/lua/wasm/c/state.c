/*
** One Lua state per memory: making it, and the one way in. Everything the host asks runs inside a protected call,
** decoding and encoding included, so no error can leave a half-finished frame behind.
*/
#define LUA_CORE
#include "lprefix.h"

#include "codec.h"
#include "control.h"
#include "debugger.h"
#include "files.h"
#include "host.h"
#include "memory.h"
#include "state.h"

#include "ldo.h"
#include "lgc.h"
#include "lstate.h"
#include "lua.h"
#include "lauxlib.h"
#include "lualib.h"

#include <string.h>

struct lw_control lw_control;
lua_State *lw_running;
lua_State *lw_main_stand_in;
static lua_State *main_thread;

/* Registry keys. */
static const char interrupted_text; /* the error value of an interrupt: made early, as raising must not allocate */
static const char error_text;       /* readable form of the last uncaught error */
static const char error_trace;      /* its traceback */

lua_State **lw_parent(lua_State *L) { return (lua_State **)lua_getextraspace(L); }

LW_EXPORT(lw_control_block) struct lw_control *lw_control_block(void) { return &lw_control; }
LW_EXPORT(lw_main_thread) lua_State *lw_main_thread(void) { return main_thread; }
LW_EXPORT(lw_running_thread) lua_State *lw_running_thread(void) { return lw_running; }
LW_EXPORT(lw_parent_thread) lua_State *lw_parent_thread(lua_State *L) { return *lw_parent(L); }

/* Off until warn("@on"), as in the stand-alone interpreter. */
static void write_warning(void *ud, const char *message, int to_be_continued) {
  static int enabled, continuing;
  (void)ud;
  if (!continuing && !to_be_continued && message[0] == '@') {
    if (strcmp(message, "@on") == 0) enabled = 1;
    if (strcmp(message, "@off") == 0) enabled = 0;
    return;
  }
  if (enabled) {
    if (!continuing) fputs("Lua warning: ", stderr);
    fputs(message, stderr);
    if (!to_be_continued) fputc('\n', stderr);
  }
  continuing = to_be_continued;
}

/* NULL when memory does not suffice. */
LW_EXPORT(lw_new_state) lua_State *lw_new_state(void) {
  lua_State *L = lua_newstate(lw_allocate, NULL);
  if (!L) return NULL;
  lua_setwarnf(L, write_warning, NULL);
  *lw_parent(L) = NULL;
  lw_running = main_thread = L;
  lw_open_files();
  luaL_openlibs(L);
  lw_open_codec(L);
  lw_open_host(L);
  lua_pushliteral(L, "interrupted");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &interrupted_text);
  return L;
}

/* A thread of the host's own, kept for ever: inspection runs there without touching the stack it looks at. */
LW_EXPORT(lw_new_thread) lua_State *lw_new_thread(void) {
  lua_State *thread = lua_newthread(main_thread);
  lua_rawsetp(main_thread, LUA_REGISTRYINDEX, thread);
  *lw_parent(thread) = NULL;
  return thread;
}

/* By hand: lua_pushthread would need room on the stack of a thread that may stand still anywhere. */
void lw_push_thread(lua_State *L, lua_State *thread) {
  setthvalue(L, s2v(L->top.p), thread);
  L->top.p++;
}

/* ---- errors ---- */

static void keep(lua_State *L, const void *key) { lua_rawsetp(L, LUA_REGISTRYINDEX, key); }

static int build_traceback(lua_State *L) {
  luaL_traceback(L, L, NULL, 1);
  return 1;
}

static void keep_traceback(lua_State *L) {
  lua_pushcfunction(L, build_traceback);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
  keep(L, &error_trace);
}

/* `thread`: whose stack tells how it came to this, from `level` on. */
static void keep_failure(lua_State *L, lua_State *thread, int level) {
  if (lua_type(L, 1) == LUA_TSTRING)
    lua_pushvalue(L, 1);
  else if (lua_type(L, 1) == LUA_TNUMBER || luaL_getmetafield(L, 1, "__tostring"))
    luaL_tolstring(L, 1, NULL);
  else
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  keep(L, &error_text);
  luaL_traceback(L, thread, NULL, level);
  keep(L, &error_trace);
}

static int handle_message(lua_State *L) {
  keep_failure(L, L, 1);
  lua_settop(L, 1);
  return 1;
}

static int keep_failure_of(lua_State *L) {
  keep_failure(L, lua_touserdata(L, 2), 0);
  return 0;
}

void lw_keep_failure(lua_State *L, lua_State *thread) {
  lua_pushcfunction(L, keep_failure_of);
  lua_pushvalue(L, -2);
  lua_pushlightuserdata(L, thread);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
}

int lw_is_interrupt(lua_State *L, int index) {
  if (!lw_control.interrupted) return 0;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &interrupted_text);
  int same = lua_rawequal(L, index < 0 ? index - 1 : index, -1);
  lua_pop(L, 1);
  return same;
}

/*
** Straight to luaD_throw: lua_error would run the program's message handler, which may loop for ever. The signal is off and
** the collector stopped meanwhile: building the traceback polls and allocates, and must not be interrupted nor run finalizers.
*/
_Noreturn void lw_raise_interrupt(lua_State *L) {
  int hard = lw_control.signal == LW_SIGNAL_HARD;
  global_State *g = G(L);
  lu_byte stopped = g->gcstp;
  luaD_checkstack(L, LUA_MINSTACK);
  lw_control.signal = LW_SIGNAL_NONE;
  lw_control.interrupted = 1;
  g->gcstp |= GCSTPGC;
  keep_traceback(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &interrupted_text);
  lua_pushvalue(L, -1);
  keep(L, &error_text);
  g->gcstp = stopped;
  if (hard) lw_control.signal = LW_SIGNAL_HARD;
  luaD_throw(L, LUA_ERRRUN);
}

/* os.exit: unwinds everything as a hard interrupt does, so the state stays whole. */
_Noreturn void lw_exit(lua_State *L, int code) {
  lw_control.exiting = 1;
  lw_control.exit_code = code;
  lw_control.signal = LW_SIGNAL_HARD;
  lw_raise_interrupt(L);
}

/* ---- the way in ---- */

enum { RESULT_VALUES, RESULT_TEXT, RESULT_NONE };

struct call {
  const unsigned char *message; /* function, arguments… */
  int count;
  int results; /* RESULT_* */
  int status;
};

static int encode_all(lua_State *L) {
  lw_encode_values(L, 1, lua_gettop(L));
  return 0;
}

/* The message of a failure: value, text, traceback. A value that cannot cross is left out. */
static void encode_failure(lua_State *L) {
  int value = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &error_text);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &error_trace);
  if (lua_isnil(L, value + 1) && lua_type(L, value) == LUA_TSTRING) { /* no handler ran: out of memory, error in a handler */
    lua_pushvalue(L, value);
    lua_replace(L, value + 1);
  }
  lua_pushcfunction(L, encode_all);
  for (int i = 0; i < 3; i++) lua_pushvalue(L, value + i);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK) {
    lua_settop(L, value + 2);
    lua_pushnil(L);
    lua_replace(L, value);
    lw_encode_values(L, value, value + 2);
  }
  lw_control.out_count = 3;
}

static int run_call(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  lua_pushcfunction(L, handle_message);
  lw_decode_values(L, call->message, call->count);
  lua_pushnil(L);
  keep(L, &error_text);
  lua_pushnil(L);
  keep(L, &error_trace);
  call->status = lua_pcall(L, call->count - 1, call->results == RESULT_NONE ? 0 : LUA_MULTRET, 2);
  if (call->status != LUA_OK) {
    encode_failure(L);
    return 0;
  }
  int top = lua_gettop(L);
  if (call->results == RESULT_TEXT)
    for (int i = 3; i <= top; i++) {
      luaL_tolstring(L, i, NULL);
      lua_replace(L, i);
    }
  lw_encode_values(L, 3, top);
  lw_control.out_count = top - 2;
  return 0;
}

/*
** Calls the first of `count` values in the message with the others, on thread L (NULL: the running one). Returns a LUA_*
** status; the results, or [value, text, traceback] of the failure, are the message at lw_control.out.
*/
LW_EXPORT(lw_call) int lw_call(lua_State *L, const unsigned char *message, int count, int results) {
  lua_State *before = lw_running;
  if (!L) L = before;
  struct call call = {message, count, results, LUA_OK};
  /* A hook lasts as long as the call from outside that set it: one that fails or never ends would spoil all that come after. */
  if (L == before && L->ci == &L->base_ci) lua_sethook(L, NULL, 0, 0);
  if (L != before) {
    *lw_parent(L) = before;
    if (L->ci == &L->base_ci) L->nCcalls = getCcalls(before); /* as lua_resume does: one C stack carries both */
    lw_running = L;
  }
  int status = LUA_ERRMEM;
  if (lua_checkstack(L, LUA_MINSTACK)) {
    lua_pushcfunction(L, run_call);
    lua_pushlightuserdata(L, &call);
    status = lua_pcall(L, 1, 0, 0);
    if (status == LUA_OK) {
      status = call.status;
    } else {
      size_t length = 0;
      const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : "error";
      lw_encode_text(text, length ? length : strlen(text));
      lw_control.out_count = 1;
      lua_pop(L, 1);
    }
  } else {
    lw_encode_text("not enough memory", 17);
    lw_control.out_count = 1;
  }
  if (L != before) {
    lw_running = before;
    *lw_parent(L) = NULL;
  }
  return status;
}
