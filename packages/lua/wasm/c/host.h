/* Functions and objects of the host as Lua values. */
#ifndef LW_HOST_H
#define LW_HOST_H

#include "lua.h"

struct lw_object {
  int handle;
  int type;
};

/* Registry key of the table of values that the host holds. */
extern const char lw_references[1];

void lw_push_function(lua_State *L, int id);
void lw_push_object(lua_State *L, int handle, int type);
/* Pushes the metatable that all objects of a type share, making it when new. */
void lw_push_type(lua_State *L, int type);
struct lw_object *lw_to_object(lua_State *L, int index);
void lw_open_host(lua_State *L);

#endif
