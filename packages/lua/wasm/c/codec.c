/* The tagged binary codec (see codec.h). */
#include "codec.h"
#include "control.h"
#include "host.h"
#include "internals.h"
#include "state.h"

#include "lauxlib.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 500
#define KEEP_CAPACITY ((size_t)1 << 20)
#define MAX_SAFE_INTEGER 9007199254740991LL

/* ---- output buffer: outside the Lua heap, so that encoding never starts a collection (and with it user code) ---- */

static unsigned char *buffer;
static size_t length, capacity;

static void reserve(lua_State *L, size_t more) {
  if (length + more <= capacity) return;
  size_t wanted = (length + more) * 2 + 256;
  unsigned char *grown = wanted > length ? realloc(buffer, wanted) : NULL;
  if (!grown) luaL_error(L, "not enough memory to pass a value to the host");
  buffer = grown;
  capacity = wanted;
}

static inline void put_byte(lua_State *L, int byte) {
  reserve(L, 1);
  buffer[length++] = (unsigned char)byte;
}

static inline void put_tagged(lua_State *L, int tag, const void *data, size_t size) {
  reserve(L, size + 1);
  buffer[length++] = (unsigned char)tag;
  memcpy(buffer + length, data, size);
  length += size;
}

static inline void put_count(lua_State *L, int tag, uint32_t count) { put_tagged(L, tag, &count, sizeof count); }

static void begin_message(void) {
  if (capacity > KEEP_CAPACITY) {
    free(buffer);
    buffer = NULL;
    capacity = 0;
  }
  length = 0;
}

static void end_message(void) {
  lw_control.out = buffer;
  lw_control.out_length = length;
}

/* ---- strings ---- */

static int is_utf8(const unsigned char *s, size_t n) {
  const unsigned char *end = s + n;
  while (s < end) {
    uint64_t block;
    while (end - s >= 8 && (memcpy(&block, s, 8), (block & 0x8080808080808080u) == 0)) s += 8;
    if (s >= end) break;
    unsigned c = *s++;
    if (c < 0x80) continue;
    int more = c >= 0xC2 && c <= 0xDF ? 1 : (c & 0xF0) == 0xE0 ? 2 : c >= 0xF0 && c <= 0xF4 ? 3 : 0;
    if (!more || end - s < more) return 0;
    unsigned next = *s;
    if ((c == 0xE0 && next < 0xA0) || (c == 0xED && next > 0x9F) || (c == 0xF0 && next < 0x90) || (c == 0xF4 && next > 0x8F)) return 0;
    while (more--)
      if ((*s++ & 0xC0) != 0x80) return 0;
  }
  return 1;
}

static void put_string(lua_State *L, int tag, const char *s, size_t n) {
  reserve(L, n + 5);
  buffer[length] = (unsigned char)tag;
  uint32_t size = (uint32_t)n;
  memcpy(buffer + length + 1, &size, 4);
  memcpy(buffer + length + 5, s, n);
  length += n + 5;
}

/* ---- tables that were met: pointer to number, open addressing ---- */

struct slot {
  const void *table;
  uint32_t number;
};

static struct slot *slots;
static uint32_t slot_count, slots_used;

static struct slot *find_slot(const void *table) {
  uint32_t mask = slot_count - 1, i = ((uint32_t)(uintptr_t)table >> 4) * 2654435761u & mask;
  while (slots[i].table && slots[i].table != table) i = (i + 1) & mask;
  return &slots[i];
}

static void grow_slots(lua_State *L) {
  struct slot *old = slots;
  uint32_t old_count = slot_count;
  struct slot *fresh = calloc(old_count ? old_count * 2 : 64, sizeof *fresh);
  if (!fresh) luaL_error(L, "not enough memory to pass a value to the host");
  slots = fresh;
  slot_count = old_count ? old_count * 2 : 64;
  for (uint32_t i = 0; i < old_count; i++)
    if (old[i].table) *find_slot(old[i].table) = old[i];
  free(old);
}

static void forget_tables(void) {
  if (!slots_used) return;
  slots_used = 0;
  if (slot_count > 4096) {
    free(slots);
    slots = NULL;
    slot_count = 0;
  } else {
    memset(slots, 0, slot_count * sizeof *slots);
  }
}

/* ---- Lua to host ---- */

/* The metatable of arrays that came from the host empty: keeps `[]` from coming back as `{}`. */
static const char array_marker;

struct shape {
  int tag;
  uint32_t count;
};

/* A table is an array when its keys are integers 1..n; otherwise an object when they are all UTF-8 strings; otherwise a map. */
static struct shape shape_of(lua_State *L, int index) {
  lua_Unsigned border = lua_rawlen(L, index);
  uint32_t count = 0;
  int in_array = 1, only_names = 1;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    count++;
    if (lua_type(L, -1) == LUA_TSTRING) {
      in_array = 0;
      if (only_names) {
        size_t n;
        const char *key = lua_tolstring(L, -1, &n);
        only_names = is_utf8((const unsigned char *)key, n);
      }
    } else {
      only_names = 0;
      if (in_array) in_array = lua_isinteger(L, -1) && (lua_Unsigned)lua_tointeger(L, -1) - 1 < border;
    }
  }
  if (count == 0) {
    int marked = 0;
    if (lua_getmetatable(L, index)) {
      lua_rawgetp(L, LUA_REGISTRYINDEX, &array_marker);
      marked = lua_rawequal(L, -1, -2);
      lua_pop(L, 2);
    }
    return (struct shape){marked ? LW_ARRAY : LW_OBJECT, 0};
  }
  if (in_array) return (struct shape){LW_ARRAY, (uint32_t)border};
  return (struct shape){only_names ? LW_OBJECT : LW_MAP, count};
}

static void encode(lua_State *L, int index, int depth);

static void encode_table(lua_State *L, int index, int depth) {
  const void *table = lua_topointer(L, index);
  if (slots_used * 2 >= slot_count) grow_slots(L);
  struct slot *slot = find_slot(table);
  if (slot->table) {
    put_count(L, LW_BACK, slot->number);
    return;
  }
  if (depth >= MAX_DEPTH) luaL_error(L, "table is nested deeper than %d levels", MAX_DEPTH);
  slot->table = table;
  slot->number = slots_used++;
  luaL_checkstack(L, 6, "table is nested too deep");
  struct shape shape = shape_of(L, index);
  put_count(L, shape.tag, shape.count);
  if (shape.tag == LW_ARRAY) {
    for (uint32_t i = 1; i <= shape.count; i++) {
      lua_rawgeti(L, index, i);
      encode(L, lua_gettop(L), depth + 1);
      lua_pop(L, 1);
    }
    return;
  }
  lua_pushnil(L);
  while (lua_next(L, index)) {
    int value = lua_gettop(L);
    encode(L, value - 1, depth + 1);
    encode(L, value, depth + 1);
    lua_pop(L, 1);
  }
}

static void encode_reference(lua_State *L, int index, int tag) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, lw_references);
  lua_pushvalue(L, index);
  uint32_t reference = (uint32_t)luaL_ref(L, -2);
  lua_pop(L, 1);
  put_count(L, tag, reference);
}

static void encode_number(lua_State *L, int index) {
  if (!lua_isinteger(L, index)) {
    lua_Number n = lua_tonumber(L, index);
    put_tagged(L, LW_FLOAT, &n, sizeof n);
    return;
  }
  lua_Integer n = lua_tointeger(L, index);
  if (n >= INT32_MIN && n <= INT32_MAX) {
    int32_t small = (int32_t)n;
    put_tagged(L, LW_INT32, &small, sizeof small);
  } else if (n >= -MAX_SAFE_INTEGER && n <= MAX_SAFE_INTEGER) {
    lua_Number exact = (lua_Number)n; /* cheaper for the host to read than 64 bits */
    put_tagged(L, LW_FLOAT, &exact, sizeof exact);
  } else {
    put_tagged(L, LW_INT64, &n, sizeof n);
  }
}

static void encode(lua_State *L, int index, int depth) {
  switch (lua_type(L, index)) {
    case LUA_TNIL:
      put_byte(L, LW_NIL);
      return;
    case LUA_TBOOLEAN:
      put_byte(L, lua_toboolean(L, index) ? LW_TRUE : LW_FALSE);
      return;
    case LUA_TNUMBER:
      encode_number(L, index);
      return;
    case LUA_TSTRING: {
      size_t n;
      const char *s = lua_tolstring(L, index, &n);
      put_string(L, is_utf8((const unsigned char *)s, n) ? LW_STRING : LW_BYTES, s, n);
      return;
    }
    case LUA_TTABLE:
      encode_table(L, index, depth);
      return;
    case LUA_TFUNCTION:
      encode_reference(L, index, LW_FUNCTION);
      return;
    case LUA_TTHREAD:
      encode_reference(L, index, LW_THREAD);
      return;
    case LUA_TUSERDATA: {
      struct lw_object *object = lw_to_object(L, index);
      if (object) {
        uint32_t words[2] = {(uint32_t)object->handle, (uint32_t)object->type};
        put_tagged(L, LW_HOST, words, sizeof words);
        return;
      }
    } /* fall through */
    default:
      encode_reference(L, index, LW_USERDATA);
  }
}

void lw_encode_values(lua_State *L, int first, int last) {
  begin_message();
  forget_tables();
  luaL_checkstack(L, 8, NULL);
  for (int i = first; i <= last; i++) encode(L, i, 0);
  end_message();
}

void lw_encode_text(const char *text, size_t n) {
  begin_message();
  if (n + 5 > capacity) {
    unsigned char *grown = realloc(buffer, n + 5);
    if (grown) {
      buffer = grown;
      capacity = n + 5;
    }
  }
  if (n + 5 <= capacity) {
    uint32_t size = (uint32_t)n;
    buffer[0] = is_utf8((const unsigned char *)text, n) ? LW_STRING : LW_BYTES;
    memcpy(buffer + 1, &size, 4);
    memcpy(buffer + 5, text, n);
    length = n + 5;
  }
  end_message();
}

/* ---- host to Lua ---- */

struct reader {
  const unsigned char *at;
  int seen;             /* stack index of the table of tables met, 0: the message holds no BACK */
  lua_Integer met;
};

static uint32_t take_count(struct reader *r) {
  uint32_t n;
  memcpy(&n, r->at, 4);
  r->at += 4;
  return n;
}

static void decode(lua_State *L, struct reader *r);

static void decode_table(lua_State *L, struct reader *r, int tag) {
  uint32_t count = take_count(r);
  luaL_checkstack(L, 5, "value is nested too deep");
  int hint = count > (1u << 24) ? 1 << 24 : (int)count;
  lua_createtable(L, tag == LW_ARRAY ? hint : 0, tag == LW_ARRAY ? 0 : hint);
  if (r->seen) {
    lua_pushvalue(L, -1);
    lua_rawseti(L, r->seen, ++r->met);
  }
  if (tag == LW_ARRAY) {
    for (uint32_t i = 1; i <= count; i++) {
      decode(L, r);
      lua_rawseti(L, -2, i);
    }
    if (count == 0) {
      lua_rawgetp(L, LUA_REGISTRYINDEX, &array_marker);
      lua_setmetatable(L, -2);
    }
    return;
  }
  while (count--) {
    decode(L, r);
    decode(L, r);
    lua_rawset(L, -3);
  }
}

static void decode_reference(lua_State *L, struct reader *r) {
  uint32_t reference = take_count(r);
  lua_rawgetp(L, LUA_REGISTRYINDEX, lw_references);
  lua_rawgeti(L, -1, (lua_Integer)reference);
  lua_remove(L, -2);
}

static void decode(lua_State *L, struct reader *r) {
  int tag = *r->at++;
  switch (tag) {
    case LW_NIL:
      lua_pushnil(L);
      return;
    case LW_FALSE:
    case LW_TRUE:
      lua_pushboolean(L, tag == LW_TRUE);
      return;
    case LW_INT32: {
      int32_t n;
      memcpy(&n, r->at, sizeof n);
      r->at += sizeof n;
      lua_pushinteger(L, n);
      return;
    }
    case LW_INT64: {
      lua_Integer n;
      memcpy(&n, r->at, sizeof n);
      r->at += sizeof n;
      lua_pushinteger(L, n);
      return;
    }
    case LW_FLOAT: {
      lua_Number n;
      memcpy(&n, r->at, sizeof n);
      r->at += sizeof n;
      lua_pushnumber(L, n);
      return;
    }
    case LW_STRING:
    case LW_BYTES: {
      uint32_t n = take_count(r);
      lua_pushlstring(L, (const char *)r->at, n);
      r->at += n;
      return;
    }
    case LW_ARRAY:
    case LW_OBJECT:
    case LW_MAP:
      decode_table(L, r, tag);
      return;
    case LW_BACK:
      lua_rawgeti(L, r->seen, (lua_Integer)take_count(r) + 1);
      return;
    case LW_HOST: {
      uint32_t handle = take_count(r);
      lw_push_object(L, (int)handle, (int)take_count(r));
      return;
    }
    case LW_HOST_FUNCTION:
      lw_push_function(L, (int)take_count(r));
      return;
    case LW_INTERNAL:
      lw_push_internal(L, (int)take_count(r));
      return;
    case LW_THREAD_POINTER:
      lw_push_thread(L, (lua_State *)(uintptr_t)take_count(r));
      return;
    case LW_FUNCTION:
    case LW_USERDATA:
    case LW_THREAD:
      decode_reference(L, r);
      return;
    default:
      luaL_error(L, "malformed value from the host (tag %d)", tag);
  }
}

void lw_decode_values(lua_State *L, const unsigned char *message, int count) {
  struct reader r = {message + 1, 0, 0};
  luaL_checkstack(L, count + 8, "too many values");
  int has_back = *message;
  if (has_back) {
    lua_newtable(L);
    r.seen = lua_gettop(L);
  }
  for (int i = 0; i < count; i++) decode(L, &r);
  if (has_back) lua_remove(L, r.seen);
}

void lw_open_codec(lua_State *L) {
  lua_newtable(L);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &array_marker);
}
