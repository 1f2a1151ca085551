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
#include "lopcodes.h"
#include "lua.h"
#include "lauxlib.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_ATTENTION, EVENT_BREAKPOINT, EVENT_STEP, EVENT_EXCEPTION };
enum { GO_ON, INTERRUPT, INTERRUPT_HARD, YIELD };

/* `line` is the status (LUA_ERR*) for EVENT_EXCEPTION. Blocks for as long as the host likes. */
LW_IMPORT(host_event) int host_event(lua_State *L, int kind, int line);

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

static ptrdiff_t frame_offset(lua_State *L, CallInfo *ci) { return (char *)ci->func.p - (char *)L->stack.p; }

int lw_steps_in(lua_State *L, CallInfo *ci) {
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

/* As luaD_hook does: the host may push values and call functions without disturbing the interrupted frame. */
static void fire(lua_State *L, int kind, int line) {
  if (!L->allowhook) return;
  CallInfo *ci = L->ci;
  ptrdiff_t top = savestack(L, L->top.p);
  ptrdiff_t frame_top = savestack(L, ci->top.p);
  if (isLua(ci) && L->top.p < ci->top.p) L->top.p = ci->top.p;
  luaD_checkstack(L, LUA_MINSTACK);
  if (ci->top.p < L->top.p + LUA_MINSTACK) ci->top.p = L->top.p + LUA_MINSTACK;
  L->allowhook = 0;
  ci->callstatus |= CIST_HOOKED;
  switch (host_event(L, kind, line)) {
    case YIELD:
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
  fire(L, EVENT_ATTENTION, 0);
}

void lw_trace(lua_State *L, const Proto *p, int pc) {
  CallInfo *ci = L->ci;
  int at_breakpoint = p->breakpoints && (p->breakpoints[pc >> 3] >> (pc & 7) & 1);
  if (lw_control.step_mode == LW_RUN && !at_breakpoint) return;
  int line = luaG_getfuncline(p, pc);
  int first = p->is_vararg ? 1 : 0; /* OP_VARARGPREP is no statement */
  int new_line = pc <= first ? pc == first : luaG_getfuncline(p, pc - 1) != line;
  int jumped_back = L == last.thread && ci == last.frame && pc <= last.pc;
  last.thread = L;
  last.frame = ci;
  last.pc = pc;
  if (at_breakpoint)
    fire(L, EVENT_BREAKPOINT, line);
  else if (step_ends(L, p, ci, new_line || jumped_back))
    fire(L, EVENT_STEP, line);
}

void lw_on_throw(lua_State *L, int status) {
  if (!lw_control.catching || lw_control.compiling || status == LUA_YIELD || status == LUA_OK || !L->allowhook) return;
  L->allowhook = 0;
  host_event(L, EVENT_EXCEPTION, status);
  L->allowhook = 1;
}

/* ---- breakpoints ---- */

struct source {
  char *name;
  size_t length;
  int *lines; /* few: looked through one by one */
  int count;
  struct source *next;
};

static struct source *sources;

static struct source *find_source(const char *name, size_t length) {
  for (struct source *s = sources; s; s = s->next)
    if (s->length == length && memcmp(s->name, name, length) == 0) return s;
  return NULL;
}

static int has_line(const struct source *s, int line) {
  for (int i = 0; i < s->count; i++)
    if (s->lines[i] == line) return 1;
  return 0;
}

void lw_free_breakpoints(Proto *p) {
  free(p->breakpoints); /* not of the Lua heap: bits are set while the program's memory may be full */
  p->breakpoints = NULL;
}

static int starts_line(const Proto *p, int pc, int *previous) {
  int line = luaG_getfuncline(p, pc);
  if (p->is_vararg && pc == 0) return 0;
  int starts = line != *previous;
  *previous = line;
  return starts ? line : 0;
}

static const struct source *source_of(const Proto *p) {
  return p->source && p->lineinfo ? find_source(getstr(p->source), tsslen(p->source)) : NULL;
}

/* A bit for the first instruction of every run of instructions of a line that holds a breakpoint. */
static void mark_function(Proto *p) {
  lw_free_breakpoints(p);
  const struct source *s = source_of(p);
  if (!s || !s->count) return;
  int previous = -1;
  for (int pc = 0; pc < p->sizecode; pc++) {
    int line = starts_line(p, pc, &previous);
    if (!line || !has_line(s, line)) continue;
    if (!p->breakpoints) p->breakpoints = calloc((size_t)(p->sizecode + 7) / 8, 1);
    if (!p->breakpoints) return;
    p->breakpoints[pc >> 3] |= (lu_byte)(1 << (pc & 7));
  }
}

static void mark_tree(Proto *p) {
  mark_function(p);
  for (int i = 0; i < p->sizep; i++)
    if (p->p[i]) mark_tree(p->p[i]);
}

static void each_function(lua_State *L, void (*visit)(Proto *, void *), void *data) {
  for (GCObject *o = G(L)->allgc; o; o = o->next)
    if (o->tt == LUA_VPROTO) visit(gco2p(o), data);
}

static void remark(Proto *p, void *data) {
  (void)data;
  mark_function(p);
}

/* Frames that run already must leave the VM's fast path, in every thread of the resume chain. */
static void update_tracing(void) {
  int any = lw_control.step_mode != LW_RUN;
  for (struct source *s = sources; s; s = s->next) any |= s->count > 0;
  lw_control.tracing = any;
  if (!any) return;
  for (lua_State *t = lw_running; t; t = *lw_parent(t))
    for (CallInfo *ci = t->ci; ci; ci = ci->previous)
      if (isLua(ci)) ci->u.l.trap = 1;
}

/* Replaces the breakpoints of a source (a chunk name, `@` included). 0: out of memory, nothing changed. */
LW_EXPORT(lw_set_breakpoints) int lw_set_breakpoints(const char *name, size_t length, const int *lines, int count) {
  struct source *s = find_source(name, length);
  int *copy = malloc((size_t)(count + 1) * sizeof *copy);
  if (!copy) return 0;
  memcpy(copy, lines, (size_t)count * sizeof *copy);
  if (!s) {
    s = calloc(1, sizeof *s);
    char *kept = malloc(length + 1);
    if (!s || !kept) {
      free(s);
      free(kept);
      free(copy);
      return 0;
    }
    memcpy(kept, name, length);
    kept[length] = 0;
    s->name = kept;
    s->length = length;
    s->next = sources;
    sources = s;
  }
  free(s->lines);
  s->lines = copy;
  s->count = count;
  each_function(lw_running, remark, NULL);
  update_tracing();
  return 1;
}

/* After a copy of the memory was restored: forgets what belonged to the debugger of the original. */
LW_EXPORT(lw_clear_breakpoints) void lw_clear_breakpoints(void) {
  for (struct source *s = sources; s; s = s->next) s->count = 0;
  each_function(lw_running, remark, NULL);
  lw_control.step_mode = LW_RUN;
  update_tracing();
}

struct line_list {
  const char *name;
  size_t length;
  int *lines;
  int count, capacity;
};

static void collect_lines(Proto *p, void *data) {
  struct line_list *list = data;
  if (!p->source || !p->lineinfo || tsslen(p->source) != list->length || memcmp(getstr(p->source), list->name, list->length)) return;
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
LW_EXPORT(lw_breakable_lines) int *lw_breakable_lines(const char *name, size_t length, int *count) {
  struct line_list list = {name, length, NULL, 0, 0};
  each_function(lw_running, collect_lines, &list);
  *count = list.count;
  return list.lines;
}

/* Call inside an event of thread L: how to go on. */
LW_EXPORT(lw_step) void lw_step(lua_State *L, int mode) {
  lw_control.step_mode = mode;
  if (mode != LW_RUN) {
    step.thread = L;
    step.frame = frame_offset(L, L->ci);
    step.function = isLua(L->ci) ? clLvalue(s2v(L->ci->func.p))->p : NULL;
  }
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
  if (lw_control.step_mode >= LW_STEP_OVER && step.thread == L && status != LUA_YIELD) {
    /* the stepped coroutine ended: go on at the next line of who resumed it */
    step.thread = before;
    lw_control.step_mode = LW_STEP_IN;
  }
  return status;
}

int lw_load(lua_State *L, lua_Reader reader, void *data, const char *name, const char *mode) {
  lw_control.compiling++;
  int status = lua_load(L, reader, data, name, mode);
  lw_control.compiling--;
  if (status == LUA_OK && lw_control.tracing && isLfunction(s2v(L->top.p - 1))) mark_tree(clLvalue(s2v(L->top.p - 1))->p);
  return status;
}
