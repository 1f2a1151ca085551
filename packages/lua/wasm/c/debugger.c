/*
** Debugger primitives: breakpoint bits, stepping, attention, exception events and the chain of resumed threads.
** The VM asks through debugger.h. Lua's own hook is left to the program.
*/
#define LUA_CORE
#include "lprefix.h"

#include "debugger.h"
#include "state.h"

#include "ldebug.h"
#include "ldo.h"
#include "lfunc.h"
#include "lgc.h"
#include "llex.h"
#include "lopcodes.h"
#include "lua.h"
#include "lauxlib.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_ATTENTION, EVENT_BREAKPOINT, EVENT_STEP, EVENT_EXCEPTION, EVENT_LINE, EVENT_LOADED };
enum { GO_ON, INTERRUPT, INTERRUPT_HARD, YIELD };

/* Beside the kind. */
enum { FLAG_STEP_ENDS = 1, FLAG_CAN_YIELD = 2, FLAG_AT_LINE = 4 };

/*
** `line` is the status (LUA_ERR*) for EVENT_EXCEPTION; `origin` is the source of the function, `entry` the function breakpoints
** that it has, `place` the instruction. Blocks for as long as the host likes. The result is of no effect for EVENT_LOADED.
*/
LW_IMPORT(host_event) int host_event(lua_State *L, int kind, int line, int origin, unsigned entry, int flags, const void *place);

/* The number of a source that the host did not load itself: below 0 when it is not the program's. `text` is NULL when not known. */
LW_IMPORT(host_loaded) int host_loaded(const char *name, size_t name_length, const char *text, size_t text_length);

/* ---- stepping ---- */

/* The frame that a step started in. An offset into the stack survives its reallocation and orders frames by depth. */
static struct {
  lua_State *thread;
  ptrdiff_t frame;
  const Proto *function;
} step;

/* Where tracing was last, to see backward jumps and not to stop twice at one place. */
static struct {
  lua_State *thread;
  CallInfo *frame;
  int pc;
} last;

/* The frame that has just been entered, to tell an entry from a jump back to the first instruction. */
static struct {
  lua_State *thread;
  CallInfo *frame;
} entered;

static ptrdiff_t frame_offset(lua_State *L, CallInfo *ci) { return (char *)ci->func.p - (char *)L->stack.p; }

void lw_enter(lua_State *L, CallInfo *ci) {
  entered.thread = L;
  entered.frame = ci;
}

int lw_steps_in(lua_State *L, CallInfo *ci) {
  if (lw_control.recording) return 1;
  switch (lw_control.step_mode) {
    case LW_STEP_IN:
      return 1;
    case LW_STEP_OVER:
      return L == step.thread && frame_offset(L, ci) <= step.frame;
    case LW_STEP_OUT:
      return L == step.thread && frame_offset(L, ci) < step.frame;
    default:
      return 0;
  }
}

static int step_ends(lua_State *L, const Proto *p, CallInfo *ci, int at_line_start) {
  ptrdiff_t frame = frame_offset(L, ci);
  switch (lw_control.step_mode) {
    case LW_STEP_IN:
      return at_line_start;
    case LW_STEP_OVER: /* a tail call reuses the frame: it is deeper, unless the function calls itself */
      return at_line_start && L == step.thread &&
             (frame < step.frame || (frame == step.frame && (p == step.function || !(ci->callstatus & CIST_TAIL))));
    case LW_STEP_OUT: /* any instruction: the caller goes on in the middle of a line */
      return L == step.thread && frame < step.frame;
    default:
      return 0;
  }
}

/* ---- events ---- */

/* Can everything down to the host be suspended? Only code that was begun with lw_begin, and not under a C function that calls back. */
static int can_yield(lua_State *L) {
  if (!lw_main_stand_in) return 0;
  for (; L; L = *lw_parent(L)) {
    if (!yieldable(L)) return 0;
    if (L == lw_main_stand_in) return 1;
  }
  return 0;
}

/* As luaD_hook does: the host may push values and call functions without disturbing the interrupted frame. */
static void fire(lua_State *L, int kind, int line, int origin, unsigned entry, int flags, const void *place) {
  if (!L->allowhook) return;
  CallInfo *ci = L->ci;
  ptrdiff_t top = savestack(L, L->top.p);
  ptrdiff_t frame_top = savestack(L, ci->top.p);
  if (isLua(ci) && L->top.p < ci->top.p) L->top.p = ci->top.p;
  luaD_checkstack(L, LUA_MINSTACK);
  if (ci->top.p < L->top.p + LUA_MINSTACK) ci->top.p = L->top.p + LUA_MINSTACK;
  if (lw_control.recording && can_yield(L)) flags |= FLAG_CAN_YIELD;
  L->allowhook = 0;
  ci->callstatus |= CIST_HOOKED;
  switch (host_event(L, kind, line, origin, entry, flags, place)) {
    case YIELD:
      lw_control.yielding = lw_main_stand_in != NULL;
      lua_yield(L, 0);
      break;
    case INTERRUPT_HARD:
      lw_control.signal = LW_SIGNAL_HARD; /* fall through */
    case INTERRUPT:
      lw_raise_interrupt(L);
    default:
      break;
  }
  L->allowhook = 1;
  ci->top.p = restorestack(L, frame_top);
  L->top.p = restorestack(L, top);
  ci->callstatus &= ~CIST_HOOKED;
  if (isLua(ci)) ci->u.l.trap = 1; /* the host may have set a breakpoint in this very frame */
}

/* Finalizers run with hooks off: the hard signal must stop them all the same. */
void lw_attention(lua_State *L) {
  if (lw_control.signal == LW_SIGNAL_HARD) lw_raise_interrupt(L);
  if (!L->allowhook) return;
  lw_control.signal = LW_SIGNAL_NONE;
  fire(L, EVENT_ATTENTION, 0, 0, 0, 0, NULL);
}

void lw_trace(lua_State *L, const Proto *p, int pc) {
  CallInfo *ci = L->ci;
  int at_breakpoint = p->breakpoints && (p->breakpoints[pc >> 3] >> (pc & 7) & 1);
  int first = p->is_vararg ? 1 : 0; /* OP_VARARGPREP is no statement */
  unsigned entry = pc == first && entered.frame == ci && entered.thread == L ? p->entry : 0;
  if (pc >= first) entered.frame = NULL;
  if (lw_control.step_mode == LW_RUN && !at_breakpoint && !entry && !lw_control.recording) return;
  int line = luaG_getfuncline(p, pc);
  int new_line = pc <= first ? pc == first : luaG_getfuncline(p, pc - 1) != line;
  int jumped_back = L == last.thread && ci == last.frame && pc <= last.pc;
  last.thread = L;
  last.frame = ci;
  last.pc = pc;
  if (p->origin < 0) return;
  int at_line_start = new_line || jumped_back;
  int flags = step_ends(L, p, ci, at_line_start) ? FLAG_STEP_ENDS : 0;
  if (at_breakpoint || entry)
    fire(L, EVENT_BREAKPOINT, line, p->origin, entry, flags | (at_breakpoint ? FLAG_AT_LINE : 0), &p->code[pc]);
  else if (flags)
    fire(L, EVENT_STEP, line, p->origin, 0, flags, NULL);
  else if (lw_control.recording && at_line_start)
    fire(L, EVENT_LINE, line, p->origin, 0, 0, NULL);
}

/* ---- errors ---- */

/* A coroutine that ended with an error: whoever resumed it may raise the same once more. */
static struct {
  lua_State *thread;
  CallInfo *frame;
  lua_CFunction function;
} resumer;

static lua_CFunction function_of(CallInfo *ci) {
  const TValue *f = s2v(ci->func.p);
  return ttisCclosure(f) ? clCvalue(f)->f : ttislcf(f) ? fvalue(f) : NULL;
}

static int is_raised_again(lua_State *L) {
  int again = L == resumer.thread && L->ci == resumer.frame && resumer.function && function_of(L->ci) == resumer.function;
  resumer.thread = NULL;
  return again;
}

static void report_error(lua_State *L, int status) {
  if (!lw_control.catching || lw_control.compiling || !L->allowhook || lw_control.signal == LW_SIGNAL_HARD) return;
  if (is_raised_again(L)) return;
  L->allowhook = 0;
  int result = host_event(L, EVENT_EXCEPTION, status, 0, 0, 0, NULL);
  L->allowhook = 1;
  if (result == INTERRUPT_HARD) lw_control.signal = LW_SIGNAL_HARD;
  if (result == INTERRUPT || result == INTERRUPT_HARD) lw_raise_interrupt(L);
}

void lw_on_error(lua_State *L) { report_error(L, LUA_ERRRUN); }

/* Every other error has passed lw_on_error. */
void lw_on_throw(lua_State *L, int status) {
  if (status == LUA_ERRMEM) report_error(L, status);
}

/* ---- breakpoints ---- */

/* Given by the host's number, or by chunk name where the host gives none. */
struct source {
  int origin;
  char *name;
  size_t length;
  int *lines; /* ascending */
  int count;
  struct source *next;
};

static struct source *sources;

/* Names of function breakpoints: `name`, or `table.name`; the bit is the position. */
#define MAX_PATTERNS 32
static struct {
  char *table; /* NULL: a function by itself */
  char *name;
} patterns[MAX_PATTERNS];
static int pattern_count;

static int is_named(const struct source *s, const char *name, size_t length) {
  return s->name && s->length == length && memcmp(s->name, name, length) == 0;
}

static struct source *find_source(int origin, const char *name, size_t length) {
  for (struct source *s = sources; s; s = s->next)
    if (origin ? s->origin == origin : is_named(s, name, length)) return s;
  return NULL;
}

static const struct source *source_of(const Proto *p) {
  if (!p->source || !p->lineinfo) return NULL;
  const struct source *s = p->origin ? find_source(p->origin, NULL, 0) : NULL;
  return s ? s : find_source(0, getstr(p->source), tsslen(p->source));
}

static int has_line(const struct source *s, int line) {
  int low = 0, high = s->count;
  while (low < high) {
    int middle = (low + high) / 2;
    if (s->lines[middle] < line)
      low = middle + 1;
    else
      high = middle;
  }
  return low < s->count && s->lines[low] == line;
}

void lw_free_breakpoints(Proto *p) {
  free(p->breakpoints); /* not of the Lua heap: bits are set while the program's memory may be full */
  p->breakpoints = NULL;
}

static int need_bits(Proto *p) {
  if (!p->breakpoints) p->breakpoints = calloc((size_t)(p->sizecode + 7) / 8, 1);
  return p->breakpoints != NULL;
}

static int starts_line(const Proto *p, int pc, int *previous) {
  int line = luaG_getfuncline(p, pc);
  if (p->is_vararg && pc == 0) return 0;
  int starts = line != *previous;
  *previous = line;
  return starts ? line : 0;
}

/*
** A call whose arguments stand on other lines: its instruction has the line that the statement began in, and another breakpoint there
** would stop the statement twice.
*/
static int ends_statement(const Proto *p, int pc) {
  OpCode op = GET_OPCODE(p->code[pc]);
  if (op != OP_CALL && op != OP_TAILCALL) return 0;
  int line = luaG_getfuncline(p, pc);
  for (int before = pc - 1; before >= 0; before--) {
    int other = luaG_getfuncline(p, before);
    if (other == line) return 1;
    if (other < line) return 0;
  }
  return 0;
}

/* A bit for the first instruction of every run of instructions of a line that holds a breakpoint. */
static void mark_lines(Proto *p) {
  lw_free_breakpoints(p);
  if (p->entry) need_bits(p);
  const struct source *s = source_of(p);
  if (!s || !s->count) return;
  int previous = -1;
  for (int pc = 0; pc < p->sizecode; pc++) {
    int line = starts_line(p, pc, &previous);
    if (!line || !has_line(s, line) || ends_statement(p, pc)) continue;
    if (!need_bits(p)) return;
    p->breakpoints[pc >> 3] |= (lu_byte)(1 << (pc & 7));
  }
}

/* ---- function breakpoints ---- */

const char *lw_register_name(const Proto *p, int pc, int reg, const char **name);

static const char *constant_name(const Proto *p, int k) { return ttisstring(&p->k[k]) ? getstr(tsvalue(&p->k[k])) : NULL; }

static const char *upvalue_name(const Proto *p, int i) { return p->upvalues[i].name ? getstr(p->upvalues[i].name) : NULL; }

static const char *name_in_register(const Proto *p, int pc, int reg) {
  const char *name = NULL;
  return lw_register_name(p, pc, reg, &name) ? name : NULL;
}

/* The table that a constructor makes, by the variable it is put into. */
static const char *name_of_table(const Proto *p, int pc, int reg) {
  const char *known = name_in_register(p, pc, reg);
  if (known) return known;
  for (pc++; pc < p->sizecode; pc++) {
    Instruction i = p->code[pc];
    OpCode op = GET_OPCODE(i);
    if (op == OP_SETTABUP && GETARG_C(i) == reg && !TESTARG_k(i)) return constant_name(p, GETARG_B(i));
    if (op == OP_SETFIELD && GETARG_C(i) == reg && !TESTARG_k(i)) return constant_name(p, GETARG_B(i));
    if (op == OP_SETUPVAL && GETARG_A(i) == reg) return upvalue_name(p, GETARG_B(i));
    known = luaF_getlocalname(p, reg + 1, pc);
    if (known) return known;
    if (op == OP_CALL || op == OP_RETURN || op == OP_JMP) return NULL;
  }
  return NULL;
}

/* What the program calls the function made at `pc`: by the instruction that puts it somewhere. */
static const char *name_function(const Proto *p, int pc, const char **table) {
  int reg = GETARG_A(p->code[pc]);
  *table = NULL;
  if (pc + 1 >= p->sizecode) return NULL;
  const char *own = luaF_getlocalname(p, reg + 1, pc + 1);
  if (own) return own;
  Instruction next = p->code[pc + 1];
  switch (GET_OPCODE(next)) {
    case OP_SETTABUP:
      if (GETARG_C(next) != reg || TESTARG_k(next)) break;
      *table = upvalue_name(p, GETARG_A(next));
      if (*table && strcmp(*table, LUA_ENV) == 0) *table = NULL;
      return constant_name(p, GETARG_B(next));
    case OP_SETFIELD:
      if (GETARG_C(next) != reg || TESTARG_k(next)) break;
      *table = name_of_table(p, pc + 1, GETARG_A(next));
      if (!*table) *table = "?";
      if (strcmp(*table, LUA_ENV) == 0) *table = NULL;
      return constant_name(p, GETARG_B(next));
    case OP_SETUPVAL:
      if (GETARG_A(next) == reg) return upvalue_name(p, GETARG_B(next));
      break;
    case OP_MOVE:
      if (GETARG_B(next) == reg) return luaF_getlocalname(p, GETARG_A(next) + 1, pc + 1);
      break;
    default:
      break;
  }
  return NULL;
}

static unsigned matching(const char *table, const char *name) {
  unsigned bits = 0;
  for (int i = 0; i < pattern_count; i++) {
    if (strcmp(patterns[i].name, name) != 0) continue;
    if (patterns[i].table ? table && strcmp(patterns[i].table, table) == 0 : !table) bits |= 1u << i;
  }
  return bits;
}

static void mark_entries(Proto *p) {
  for (int pc = 0; pc < p->sizecode; pc++) {
    if (GET_OPCODE(p->code[pc]) != OP_CLOSURE) continue;
    const char *table, *name = name_function(p, pc, &table);
    unsigned bits = name ? matching(table, name) : 0;
    Proto *function = p->p[GETARG_Bx(p->code[pc])];
    if (!bits || !function) continue;
    function->entry |= bits;
    need_bits(function);
  }
}

/* ---- all functions ---- */

static void each_function(lua_State *L, void (*visit)(Proto *, void *), void *data) {
  for (GCObject *o = G(L)->allgc; o; o = o->next)
    if (o->tt == LUA_VPROTO) visit(gco2p(o), data);
}

static void remark(Proto *p, void *data) {
  (void)data;
  mark_lines(p);
}

static void forget_entry(Proto *p, void *data) {
  (void)data;
  p->entry = 0;
}

static void find_entry(Proto *p, void *data) {
  (void)data;
  if (p->origin >= 0) mark_entries(p);
}

static void mark_tree(Proto *p, int origin) {
  p->origin = origin;
  if (lw_control.tracing) mark_lines(p);
  for (int i = 0; i < p->sizep; i++)
    if (p->p[i]) mark_tree(p->p[i], origin);
  if (pattern_count && origin >= 0) mark_entries(p);
}

/* Frames that run already must leave the VM's fast path, in every thread of the resume chain. */
static void update_tracing(void) {
  int any = lw_control.step_mode != LW_RUN || lw_control.recording || pattern_count;
  for (struct source *s = sources; s; s = s->next) any |= s->count > 0;
  lw_control.tracing = any;
  if (!any) return;
  for (lua_State *t = lw_running; t; t = *lw_parent(t))
    for (CallInfo *ci = t->ci; ci; ci = ci->previous)
      if (isLua(ci)) ci->u.l.trap = 1;
}

static struct source *add_source(int origin, const char *name, size_t length) {
  struct source *s = calloc(1, sizeof *s);
  char *kept = origin ? NULL : malloc(length + 1);
  if (!s || !(origin || kept)) {
    free(s);
    free(kept);
    return NULL;
  }
  if (kept) {
    memcpy(kept, name, length);
    kept[length] = 0;
  }
  s->origin = origin;
  s->name = kept;
  s->length = length;
  s->next = sources;
  sources = s;
  return s;
}

/*
** Replaces the breakpoints of a source: by number, or with 0 by chunk name (`@` included). `lines` ascend.
** 0: out of memory, nothing changed.
*/
LW_EXPORT(lw_set_breakpoints) int lw_set_breakpoints(int origin, const char *name, size_t length, const int *lines, int count) {
  struct source *s = find_source(origin, name, length);
  if (!s && count == 0) return 1;
  int *copy = malloc((size_t)(count + 1) * sizeof *copy);
  if (!copy) return 0;
  memcpy(copy, lines, (size_t)count * sizeof *copy);
  if (!s) s = add_source(origin, name, length);
  if (!s) {
    free(copy);
    return 0;
  }
  free(s->lines);
  s->lines = copy;
  s->count = count;
  each_function(lw_running, remark, NULL);
  update_tracing();
  return 1;
}

static char *copy_text(const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) return NULL;
  memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

/* Replaces the function breakpoints: names that end with a newline each, `table.name` or `name`. 0: too many, or out of memory. */
LW_EXPORT(lw_set_function_breakpoints) int lw_set_function_breakpoints(const char *names, size_t length) {
  while (pattern_count > 0) {
    pattern_count--;
    free(patterns[pattern_count].table);
    free(patterns[pattern_count].name);
  }
  each_function(lw_running, forget_entry, NULL);
  int complete = 1;
  const char *end = names + length;
  for (const char *at = names; at < end && complete;) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    const char *name = at, *table = NULL;
    size_t table_length = 0;
    for (const char *c = at; c < stop; c++)
      if (*c == '.') {
        table = name;
        table_length = (size_t)(c - name);
        name = c + 1;
      }
    complete = pattern_count < MAX_PATTERNS;
    if (complete) {
      patterns[pattern_count].table = table ? copy_text(table, table_length) : NULL;
      patterns[pattern_count].name = copy_text(name, (size_t)(stop - name));
      complete = patterns[pattern_count].name && (!table || patterns[pattern_count].table);
      if (complete) pattern_count++;
    }
    at = stop + 1;
  }
  if (pattern_count) each_function(lw_running, find_entry, NULL);
  each_function(lw_running, remark, NULL);
  update_tracing();
  return complete;
}

static void collect_entries(Proto *p, void *data) { *(unsigned *)data |= p->entry; }

/* The function breakpoints that functions have, as bits. */
LW_EXPORT(lw_bound_functions) unsigned lw_bound_functions(void) {
  unsigned bound = 0;
  each_function(lw_running, collect_entries, &bound);
  return bound;
}

/* Whatever its name: function breakpoint number `bit` for one function. */
void lw_mark_entry(Proto *p, int bit) {
  p->entry |= 1u << bit;
  need_bits(p);
}

/* After a copy of the memory was restored: forgets what belonged to the debugger of the original. */
LW_EXPORT(lw_clear_breakpoints) void lw_clear_breakpoints(void) {
  for (struct source *s = sources; s; s = s->next) s->count = 0;
  lw_control.step_mode = LW_RUN;
  lw_control.recording = 0;
  lw_control.telling = 0;
  lw_set_function_breakpoints("", 0);
}

struct line_list {
  int origin;
  const char *name;
  size_t length;
  int *lines;
  int count, capacity;
};

static void collect_lines(Proto *p, void *data) {
  struct line_list *list = data;
  if (!p->source || !p->lineinfo) return;
  if (list->origin ? p->origin != list->origin
                   : tsslen(p->source) != list->length || memcmp(getstr(p->source), list->name, list->length))
    return;
  int previous = -1;
  for (int pc = 0; pc < p->sizecode; pc++) {
    int line = starts_line(p, pc, &previous);
    if (!line) continue;
    if (list->count == list->capacity) {
      int wanted = list->capacity * 2 + 64;
      int *grown = realloc(list->lines, (size_t)wanted * sizeof *grown);
      if (!grown) return;
      list->lines = grown;
      list->capacity = wanted;
    }
    list->lines[list->count++] = line;
  }
}

/* Lines of a loaded source where a breakpoint can be: int[], repeats possible, in no order. The caller frees it. */
LW_EXPORT(lw_breakable_lines) int *lw_breakable_lines(int origin, const char *name, size_t length, int *count) {
  struct line_list list = {origin, name, length, NULL, 0, 0};
  each_function(lw_running, collect_lines, &list);
  *count = list.count;
  return list.lines;
}

/* Asks the host for the sources of what was loaded without being told. */
static void adopt(Proto *p, void *data) {
  TString **previous = data;
  static int origin;
  if (p->origin || !p->source) return;
  if (p->source != *previous) origin = host_loaded(getstr(p->source), tsslen(p->source), NULL, 0);
  *previous = p->source;
  p->origin = origin;
}

LW_EXPORT(lw_adopt_sources) void lw_adopt_sources(void) {
  TString *previous = NULL;
  each_function(lw_running, adopt, &previous);
}

/* ---- threads ---- */

/* Coroutines that run, wait or have not begun: at most `capacity`; the result is how many there are. */
LW_EXPORT(lw_threads) int lw_threads(lua_State **list, int capacity) {
  int count = 0;
  for (GCObject *o = G(lw_running)->allgc; o; o = o->next) {
    if (o->tt != LUA_VTHREAD) continue;
    lua_State *t = gco2th(o);
    int lives = t->status == LUA_YIELD || (t->status == LUA_OK && (t->ci != &t->base_ci || t->top.p > t->stack.p + 1));
    if (!lives) continue;
    if (count < capacity) list[count] = t;
    count++;
  }
  return count;
}

/* Orders the frames of a thread by depth. */
LW_EXPORT(lw_frame_depth) int lw_frame_depth(lua_State *L) { return (int)frame_offset(L, L->ci); }

/* ---- how to go on ---- */

/* For an event of thread L, or while it is suspended. */
LW_EXPORT(lw_step) void lw_step(lua_State *L, int mode) {
  lw_control.step_mode = mode;
  if (mode != LW_RUN) {
    step.thread = L;
    step.frame = frame_offset(L, L->ci);
    step.function = isLua(L->ci) ? clLvalue(s2v(L->ci->func.p))->p : NULL;
  }
  update_tracing();
}

/* Recording: every line is an event, and code begun with lw_begin may yield to the host there. */
LW_EXPORT(lw_record) void lw_record(int on) {
  lw_control.recording = on;
  update_tracing();
}

/* ---- wrappers: compiled code calls these instead of lua_resume and lua_load ---- */

int lw_resume(lua_State *L, lua_State *from, int argument_count, int *result_count) {
  lua_State *before = lw_running;
  *lw_parent(L) = before;
  lw_running = L;
  int status = lua_resume(L, from, argument_count, result_count);
  lw_running = before;
  *lw_parent(L) = NULL;
  if (status != LUA_OK && status != LUA_YIELD) {
    resumer.thread = before;
    resumer.frame = before->ci;
    resumer.function = function_of(before->ci);
  }
  if (lw_control.step_mode >= LW_STEP_OVER && step.thread == L && status != LUA_YIELD) {
    /* the stepped coroutine ended: go on at the next line of who resumed it */
    step.thread = before;
    lw_control.step_mode = LW_STEP_IN;
    update_tracing();
  }
  return status;
}

/* ---- loading ---- */

/* The text of a chunk as it is read: of names that no file stands for. */
#define MAX_TEXT (4 << 20)

static struct {
  lua_Reader reader;
  void *data;
  char *text;
  size_t length, capacity;
  int complete;
} reading;

static const char *read_and_keep(lua_State *L, void *data, size_t *size) {
  (void)data;
  const char *piece = reading.reader(L, reading.data, size);
  if (!piece || !*size || !reading.complete) return piece;
  if (reading.length + *size > reading.capacity) {
    size_t wanted = (reading.length + *size) * 2;
    char *grown = wanted <= 2 * MAX_TEXT ? realloc(reading.text, wanted) : NULL;
    if (!grown) {
      reading.complete = 0;
      return piece;
    }
    reading.text = grown;
    reading.capacity = wanted;
  }
  memcpy(reading.text + reading.length, piece, *size);
  reading.length += *size;
  return piece;
}

static int load_and_keep(lua_State *L, lua_Reader reader, void *data, const char *name, const char *mode) {
  reading.reader = reader;
  reading.data = data;
  reading.length = 0;
  reading.complete = 1;
  return lua_load(L, read_and_keep, NULL, name, mode);
}

static int origin_of(const Proto *p, int kept) {
  if (lw_control.origin || !lw_control.telling || !p->source) return lw_control.origin;
  const char *text = kept && reading.complete ? reading.text : NULL;
  return host_loaded(getstr(p->source), tsslen(p->source), text, text ? reading.length : 0);
}

int lw_load(lua_State *L, lua_Reader reader, void *data, const char *name, const char *mode) {
  int keep = lw_control.telling && !lw_control.origin && !lw_control.compiling;
  lw_control.compiling++;
  int status = keep ? load_and_keep(L, reader, data, name, mode) : lua_load(L, reader, data, name, mode);
  lw_control.compiling--;
  if (status == LUA_OK && (lw_control.tracing || lw_control.origin || lw_control.telling) && isLfunction(s2v(L->top.p - 1))) {
    Proto *p = clLvalue(s2v(L->top.p - 1))->p;
    int origin = origin_of(p, keep);
    mark_tree(p, origin);
    if (lw_control.telling && origin > 0) host_event(L, EVENT_LOADED, 0, origin, 0, 0, NULL);
  }
  if (keep) {
    free(reading.text);
    reading.text = NULL;
    reading.capacity = 0;
  }
  return status;
}
