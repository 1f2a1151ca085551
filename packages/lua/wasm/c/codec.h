/*
** Values across the border, as tagged little-endian binary. Both directions use the same tags (src/codec.ts is the other end).
**
**   NIL FALSE TRUE
**   INT32 i32 · INT64 i64 · FLOAT f64
**   STRING u32 length, bytes (valid UTF-8) · BYTES u32 length, bytes (anything)
**   ARRAY u32 count, values 1..count (NIL for holes)
**   OBJECT u32 count, (key, value)… : every key is a STRING · MAP u32 count, (key, value)… : any key
**   BACK u32 index: a table that began earlier in this message; tables are numbered from 0 in order of their first byte
**   FUNCTION, USERDATA, THREAD u32 reference: a Lua value kept for the host until lw_unref
**   HOST u32 handle, u32 type: an object of the host · HOST_FUNCTION u32 id · INTERNAL u32 number · THREAD_POINTER u32 address
*/
#ifndef LW_CODEC_H
#define LW_CODEC_H

#include "lua.h"

enum {
  LW_NIL,
  LW_FALSE,
  LW_TRUE,
  LW_INT32,
  LW_INT64,
  LW_FLOAT,
  LW_STRING,
  LW_BYTES,
  LW_ARRAY,
  LW_OBJECT,
  LW_MAP,
  LW_BACK,
  LW_FUNCTION,
  LW_USERDATA,
  LW_THREAD,
  LW_HOST,
  LW_HOST_FUNCTION,
  LW_INTERNAL,      /* host to Lua only: a function of internals.c by number */
  LW_THREAD_POINTER /* host to Lua only */
};

/* Encodes stack values first..last as the message to the host. Raises a Lua error for what cannot cross. */
void lw_encode_values(lua_State *L, int first, int last);
/* Like lw_encode_values for one string, but cannot fail: an empty message when memory is out. */
void lw_encode_text(const char *text, size_t length);
/* Pushes `count` values of a message. Raises a Lua error when memory is out. */
void lw_decode_values(lua_State *L, const unsigned char *message, int count);
/* Called once by a new state. */
void lw_open_codec(lua_State *L);

#endif
