/*
** Functions and objects of the host. A host function is one C closure with an integer id, so ids can be stable by name and
** survive a copy of the memory. A host object is a userdata with a handle; collecting it tells the host.
*/
#include "host.h"
#include "codec.h"
#include "control.h"

#include "lauxlib.h"

#include <math.h>

/* Results of host_call below zero. */
enum { HOST_ERROR = -1, HOST_YIELD = -2, HOST_INTERRUPT = -3, HOST_MESSAGE = -4 };

/* Number of results pushed by lw_push, or HOST_*: an error value is on top of the stack, or a message that gets the position. */
LW_IMPORT(host_call) int host_call(lua_State *L, int id, int argument_count);
LW_IMPORT(host_release) void host_release(int handle);

const char lw_references[1] = {0};
static const char object_marker; /* key in the metatable of every host object */
static const char object_types;  /* registry key: type number to metatable */

static int call_host(lua_State *L) {
  int id = (int)lua_tointeger(L, lua_upvalueindex(1));
  int results = host_call(L, id, lua_gettop(L));
  if (results >= 0) return results;
  switch (results) {
    case HOST_YIELD:
      if (!lua_isyieldable(L)) return luaL_error(L, "attempt to wait across a C-call boundary");
      return lua_yield(L, 0); /* resuming gives the results to the caller */
    case HOST_INTERRUPT:
      lw_raise_interrupt(L);
    case HOST_MESSAGE:
      luaL_where(L, 1);
      lua_insert(L, -2);
      lua_concat(L, 2);
      return lua_error(L);
    default:
      return lua_error(L);
  }
}

void lw_push_function(lua_State *L, int id) {
  lua_pushinteger(L, id);
  lua_pushcclosure(L, call_host, 1);
}

struct lw_object *lw_to_object(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return NULL;
  int ours = lua_rawgetp(L, -1, &object_marker) != LUA_TNIL;
  lua_pop(L, 2);
  return ours ? lua_touserdata(L, index) : NULL;
}

static int release_object(lua_State *L) {
  struct lw_object *object = lw_to_object(L, 1);
  if (object && object->handle >= 0) {
    host_release(object->handle);
    object->handle = -1; /* a script may call __gc by hand */
  }
  return 0;
}

static int same_object(lua_State *L) {
  struct lw_object *a = lw_to_object(L, 1), *b = lw_to_object(L, 2);
  lua_pushboolean(L, a && b && a->handle == b->handle);
  return 1;
}

void lw_push_type(lua_State *L, int type) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &object_types);
  if (lua_rawgeti(L, -1, type) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, &object_marker);
    lua_pushcfunction(L, release_object);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, same_object);
    lua_setfield(L, -2, "__eq");
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, type);
  }
  lua_remove(L, -2);
}

void lw_push_object(lua_State *L, int handle, int type) {
  luaL_checkstack(L, 4, NULL);
  struct lw_object *object = lua_newuserdatauv(L, sizeof *object, 0);
  object->handle = handle;
  object->type = type;
  lw_push_type(L, type);
  lua_setmetatable(L, -2);
}

static void open_table(lua_State *L, const void *key) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void lw_open_host(lua_State *L) {
  open_table(L, lw_references);
  open_table(L, &object_types);
}

/* ---- called by the host ---- */

/* Inside host_call: the arguments as a message. */
LW_EXPORT(lw_arguments) void lw_arguments(lua_State *L, int count) { lw_encode_values(L, lua_gettop(L) - count + 1, lua_gettop(L)); }

/* Inside host_call: pushes results, or the error value. */
LW_EXPORT(lw_push) void lw_push(lua_State *L, const unsigned char *message, int count) { lw_decode_values(L, message, count); }

/* Single results without a message. A number is an integer when its value is one, but not -0.0. */
LW_EXPORT(lw_push_nil) void lw_push_nil(lua_State *L) { lua_pushnil(L); }
LW_EXPORT(lw_push_boolean) void lw_push_boolean(lua_State *L, int value) { lua_pushboolean(L, value); }
LW_EXPORT(lw_push_number) void lw_push_number(lua_State *L, double value) {
  if (value >= -9007199254740991.0 && value <= 9007199254740991.0 && (value != 0 || !signbit(value)) && value == floor(value))
    lua_pushinteger(L, (lua_Integer)value);
  else
    lua_pushnumber(L, value);
}

/* The host forgets a function, userdata or thread. */
LW_EXPORT(lw_unref) void lw_unref(lua_State *L, int reference) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, lw_references);
  luaL_unref(L, -1, reference);
  lua_pop(L, 1);
}
