/* Looks at threads and tables from inside the VM: in one pass, where the API of Lua needs one call for each level or key. */
#define LUA_CORE
#include "lprefix.h"

#include "debugger.h"
#include "probe.h"

#include "lapi.h"
#include "ldebug.h"
#include "lobject.h"
#include "lstate.h"
#include "ltable.h"
#include "lvm.h"
#include "lua.h"
#include "lauxlib.h"

static lua_State *check_thread(lua_State *L, int index) {
  lua_State *thread = lua_tothread(L, index);
  luaL_argexpected(L, thread, index, "thread");
  return thread;
}

static void set_text(lua_State *L, const char *key, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, key);
}

static void set_number(lua_State *L, const char *key, int value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, key);
}

static const Proto *proto_of(const CallInfo *ci) { return isLua(ci) ? clLvalue(s2v(ci->func.p))->p : NULL; }

static void push_frame(lua_State *L, lua_State *thread, CallInfo *ci, int level) {
  lua_Debug info;
  const Proto *p = proto_of(ci);
  info.i_ci = ci;
  lua_getinfo(thread, "Slnt", &info);
  lua_createtable(L, 0, 10);
  set_number(L, "level", level);
  set_text(L, "name", info.name ? info.name : *info.what == 'm' ? "main chunk" : "?");
  set_text(L, "kind", info.namewhat);
  set_text(L, "what", info.what);
  set_text(L, "source", info.short_src);
  set_number(L, "line", info.currentline);
  set_number(L, "first_line", info.linedefined);
  set_number(L, "last_line", info.lastlinedefined);
  set_number(L, "origin", p ? p->origin : 0);
  lua_pushboolean(L, info.istailcall);
  lua_setfield(L, -2, "tail_call");
}

/* stack(thread, first, count) → frames, how many there are */
static int probe_stack(lua_State *L) {
  lua_State *thread = check_thread(L, 1);
  lua_Integer first = luaL_checkinteger(L, 2), count = luaL_checkinteger(L, 3);
  int level = 0, found = 0;
  lua_newtable(L);
  for (CallInfo *ci = thread->ci; ci != &thread->base_ci; ci = ci->previous, level++) {
    if (level < first || found >= count) continue;
    push_frame(L, thread, ci, level);
    lua_rawseti(L, 3 + 1, ++found);
  }
  lua_pushinteger(L, level);
  return 2;
}

/* thrown(thread): the error value that is being raised there */
static int probe_thrown(lua_State *L) {
  lua_State *thread = check_thread(L, 1);
  if (thread->top.p <= thread->ci->func.p + 1) return 0;
  setobj2s(L, L->top.p, s2v(thread->top.p - 1));
  api_incr_top(L);
  return 1;
}

/* calls(thread, f, …): does a frame there belong to one of these functions? */
static int probe_calls(lua_State *L) {
  lua_State *thread = check_thread(L, 1);
  int top = lua_gettop(L), found = 0;
  for (CallInfo *ci = thread->ci; ci != &thread->base_ci && !found; ci = ci->previous)
    for (int i = 2; i <= top && !found; i++) found = luaV_rawequalobj(s2v(ci->func.p), s2v(L->ci->func.p + i));
  lua_pushboolean(L, found);
  return 1;
}

/* body(thread): the function that a coroutine was made of */
static int probe_body(lua_State *L) {
  lua_State *thread = check_thread(L, 1);
  if (thread->top.p <= thread->stack.p + 1) return 0;
  setobj2s(L, L->top.p, s2v(thread->stack.p + 1));
  api_incr_top(L);
  return 1;
}

/* origin(function): the number of its source */
static int probe_origin(lua_State *L) {
  const TValue *f = s2v(L->ci->func.p + 1);
  lua_pushinteger(L, lua_gettop(L) > 0 && ttisLclosure(f) ? clLvalue(f)->p->origin : 0);
  return 1;
}

void lw_mark_entry(Proto *p, int bit);

/* mark_entry(function, bit): a function breakpoint for this one; false: it is none of Lua's */
static int probe_mark_entry(lua_State *L) {
  const TValue *f = s2v(L->ci->func.p + 1);
  int bit = (int)luaL_checkinteger(L, 2);
  int ours = ttisLclosure(f) && clLvalue(f)->p->origin >= 0;
  if (ours) lw_mark_entry(clLvalue(f)->p, bit);
  lua_pushboolean(L, ours);
  return 1;
}

static int in_sequence(lua_State *L, const Node *node, lua_Unsigned length) {
  TValue key;
  getnodekey(L, &key, node);
  return ttisinteger(&key) && l_castS2U(ivalue(&key)) - 1u < length;
}

/* Visits what is not of the sequence 1..length: fills `out` (a table of keys on top of the stack) with entries first+1..first+count. */
static lua_Unsigned walk(lua_State *L, Table *t, lua_Unsigned length, lua_Unsigned first, lua_Unsigned count, int collect) {
  lua_Unsigned seen = 0, kept = 0;
  unsigned array = luaH_realasize(t);
  for (unsigned i = 0; i < array; i++) {
    if (isempty(&t->array[i]) || (lua_Unsigned)i < length) continue;
    if (collect && seen >= first && kept < count) {
      lua_pushinteger(L, (lua_Integer)i + 1);
      lua_rawseti(L, -2, (lua_Integer)++kept);
    }
    seen++;
  }
  for (int i = 0; i < sizenode(t); i++) {
    const Node *node = gnode(t, i);
    if (isempty(gval(node)) || in_sequence(L, node, length)) continue;
    if (collect && seen >= first && kept < count) {
      getnodekey(L, s2v(L->top.p), node);
      api_incr_top(L);
      lua_rawseti(L, -2, (lua_Integer)++kept);
    }
    seen++;
  }
  return seen;
}

/* shape(table) → length of its sequence, number of its other entries. Runs no metamethod. */
static int probe_shape(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Unsigned length = lua_rawlen(L, 1);
  Table *t = hvalue(s2v(L->ci->func.p + 1));
  lua_pushinteger(L, (lua_Integer)length);
  lua_pushinteger(L, (lua_Integer)walk(L, t, length, 0, 0, 0));
  return 2;
}

/* keys(table, first, count) → keys outside its sequence, as they are stored */
static int probe_keys(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Unsigned first = (lua_Unsigned)luaL_checkinteger(L, 2), count = (lua_Unsigned)luaL_checkinteger(L, 3);
  lua_Unsigned length = lua_rawlen(L, 1);
  lua_newtable(L);
  luaL_checkstack(L, 4, NULL);
  walk(L, hvalue(s2v(L->ci->func.p + 1)), length, first, count, 1);
  return 1;
}

int lw_open_probe(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"stack", probe_stack},           {"thrown", probe_thrown}, {"body", probe_body}, {"origin", probe_origin},
      {"mark_entry", probe_mark_entry}, {"shape", probe_shape},   {"keys", probe_keys},
      {"calls", probe_calls},           {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
