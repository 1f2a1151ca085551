#include "internals.h"
#include "control.h"
#include "host.h"
#include "probe.h"
#include "state.h"
#include "debugger.h"
#include "ldo.h"

#include "lauxlib.h"
#include "lualib.h"

/* load(source, chunk name, mode) → function | nil, message, status */
static int internal_load(lua_State *L) {
  size_t length;
  const char *source = luaL_checklstring(L, 1, &length);
  const char *name = luaL_checkstring(L, 2);
  const char *mode = luaL_optstring(L, 3, "t");
  int status = luaL_loadbufferx(L, source, length, name, mode);
  if (status == LUA_OK) return 1;
  luaL_pushfail(L);
  lua_insert(L, -2);
  lua_pushinteger(L, status);
  return 3;
}

/* type(number, define): calls define with the metatable of the objects of a host type */
static int internal_type(lua_State *L) {
  int type = (int)luaL_checkinteger(L, 1);
  lua_settop(L, 2);
  lw_push_type(L, type);
  lua_call(L, 1, 0);
  return 0;
}

/* global(name, value): raw, so a metatable on _G sees nothing of the host's set-up */
static int internal_global(lua_State *L) {
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  lua_pushglobaltable(L);
  lua_insert(L, 1);
  lua_rawset(L, 1);
  return 0;
}

/* get(name): raw as well */
static int internal_get(lua_State *L) {
  lua_settop(L, 1);
  lua_pushglobaltable(L);
  lua_insert(L, 1);
  lua_rawget(L, 1);
  return 1;
}

/* seed(a, b): gives a copied state random numbers of its own */
static int internal_seed(lua_State *L) {
  lua_settop(L, 2);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_MATHLIBNAME);
  lua_getfield(L, -1, "randomseed");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 0);
  return 0;
}

/* ---- code that may be suspended wherever it is ---- */

static const char stand_in; /* registry key: the coroutine, for the collector */

/* true, results… when it has ended; false when an event yielded. An error passes as if the code had run here. */
static int resume_stand_in(lua_State *L, int argument_count) {
  lua_State *co = lw_main_stand_in;
  int result_count;
  lw_control.yielding = 0;
  int status = lw_resume(co, L, argument_count, &result_count);
  int yielded = status == LUA_YIELD && lw_control.yielding;
  lw_control.yielding = 0;
  if (yielded) {
    lua_pushboolean(L, 0);
    return 1;
  }
  lw_main_stand_in = NULL;
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &stand_in);
  if (status == LUA_OK) {
    luaL_checkstack(L, result_count + 1, "too many results");
    lua_pushboolean(L, 1);
    lua_xmove(co, L, result_count);
    return result_count + 1;
  }
  lua_xmove(co, L, 1);
  if (!lw_is_interrupt(L, -1)) lw_keep_failure(L, co);
  status = lua_closethread(co, L);
  lua_xmove(co, L, 1);
  luaD_throw(L, status);
}

/* begin(f, …) */
static int internal_begin(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  int count = lua_gettop(L);
  lua_State *co = lua_newthread(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &stand_in);
  luaL_argcheck(L, lua_checkstack(co, count), count, "too many arguments");
  lua_xmove(L, co, count);
  lw_main_stand_in = co;
  return resume_stand_in(L, count - 1);
}

/* proceed(): after it has yielded */
static int internal_proceed(lua_State *L) {
  if (!lw_main_stand_in) return luaL_error(L, "nothing is suspended");
  return resume_stand_in(L, 0);
}

void lw_push_internal(lua_State *L, int number) {
  static const lua_CFunction functions[] = {internal_load, internal_type, internal_global, internal_seed, internal_get,
                                            lw_open_probe, internal_begin, internal_proceed};
  if (number < 0 || (size_t)number >= sizeof functions / sizeof *functions) luaL_error(L, "no internal function %d", number);
  lua_pushcfunction(L, functions[number]);
}
