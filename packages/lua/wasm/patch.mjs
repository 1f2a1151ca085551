/**
 * The changes to Lua's sources, as exact replacements. Each anchor must occur exactly once: an upstream change that touches one
 * stops the build instead of moving a patch to the wrong place.
 */

/** @typedef {{ file: string, why: string, anchor: string, replacement: string }} Edit */

const before = (anchor, added) => ({ anchor, replacement: added + anchor })
const after = (anchor, added) => ({ anchor, replacement: anchor + added })

/** @type {Edit[]} */
export const edits = [
  {
    file: 'lvm.c',
    why: 'a signal makes every frame leave the fast path at its next loop edge or call return, at no cost: the test is in the trap load',
    anchor: '#define updatetrap(ci)  (trap = ci->u.l.trap)',
    replacement: '#include "debugger.h"\n#define updatetrap(ci)  (trap = ci->u.l.trap | lw_control.signal)',
  },
  {
    file: 'lvm.c',
    why: 'the same at function entry',
    anchor: ' startfunc:\n  trap = L->hookmask;',
    replacement: ' startfunc:\n  trap = L->hookmask | lw_control.signal;',
  },
  {
    file: 'lvm.c',
    why: 'only functions that hold a breakpoint, or frames that a step looks at, are traced',
    anchor: '  k = cl->p->k;\n  pc = ci->u.l.savedpc;\n',
    replacement:
      '  k = cl->p->k;\n  pc = ci->u.l.savedpc;\n  if (l_unlikely(lw_control.tracing) && lw_wants_trace(L, ci, cl->p))\n    trap = 1;\n',
  },
  {
    file: 'lobject.h',
    why: 'one bit per instruction; NULL in functions without breakpoints',
    ...after(
      '  lu_byte maxstacksize;  /* number of registers needed by this function */',
      '\n  lu_byte *breakpoints;\n  int origin;  /* number of its source, given by the host */\n  unsigned entry;  /* function breakpoints, one bit each */',
    ),
  },
  {
    file: 'lfunc.c',
    why: 'no breakpoints in a new function',
    ...after('  f->maxstacksize = 0;', '\n  f->breakpoints = NULL;\n  f->origin = 0;\n  f->entry = 0;'),
  },
  {
    file: 'lfunc.c',
    why: 'they go with the function',
    ...before('  luaM_freearray(L, f->code, f->sizecode);', '  lw_free_breakpoints(f);\n'),
  },
  { file: 'lfunc.c', why: 'declarations', ...after('#include "lfunc.h"\n', '#include "debugger.h"\n') },
  { file: 'ldebug.c', why: 'declarations', ...after('#include "lvm.h"\n', '#include "debugger.h"\n') },
  {
    file: 'ldebug.c',
    why: "tracing and signals keep the trap on, beside Lua's own hooks",
    anchor: '  int counthook;\n  if (!(mask & (LUA_MASKLINE | LUA_MASKCOUNT))) {  /* no hooks? */\n',
    replacement:
      '  int counthook;\n  int signal = lw_control.signal;\n  int traced = lw_wants_trace(L, ci, p);\n' +
      '  if (!(mask & (LUA_MASKLINE | LUA_MASKCOUNT)) && !signal && !traced) {  /* no hooks? */\n',
  },
  {
    file: 'ldebug.c',
    why: 'attention and breakpoints come before hooks; a yield from the event resumes at the same instruction',
    anchor: "  pc++;  /* reference is always next instruction */\n  ci->u.l.savedpc = pc;  /* save 'pc' */\n  counthook =",
    replacement: `  pc++;  /* reference is always next instruction */
  ci->u.l.savedpc = pc;  /* save 'pc' */
  if (signal | traced) {
    if (ci->callstatus & CIST_HOOKYIELD) {
      ci->callstatus &= ~CIST_HOOKYIELD;
      return 1;
    }
    if (!isIT(*(pc - 1)))
      L->top.p = ci->top.p;
    if (signal) lw_attention(L);
    if (traced) lw_trace(L, p, pcRel(pc, p));
    if (L->status == LUA_YIELD) {
      ci->callstatus |= CIST_HOOKYIELD;
      luaD_throw(L, LUA_YIELD);
    }
    mask = L->hookmask;
    if (!(mask & (LUA_MASKLINE | LUA_MASKCOUNT)))
      return 1;
  }
  counthook =`,
  },
  {
    file: 'ldebug.c',
    why: 'function breakpoints: an entry is told from a jump back to the first instruction',
    ...after('  if (ci->u.l.savedpc == p->code) {  /* first instruction (not resuming)? */\n', '    if (p->entry) lw_enter(L, ci);\n'),
  },
  {
    file: 'ldebug.c',
    why: 'errors are seen before a message handler changes them',
    ...after('l_noret luaG_errormsg (lua_State *L) {\n', '  lw_on_error(L);\n'),
  },
  {
    file: 'ldebug.c',
    why: 'what a register is called, for the names of functions',
    ...before(
      'static int changedline (const Proto *p, int oldpc, int newpc) {\n',
      `const char *lw_register_name (const Proto *p, int pc, int reg, const char **name) {
  return getobjname(p, pc, reg, name);
}


`,
    ),
  },
  { file: 'lcorolib.c', why: 'declarations', ...after('#include "lualib.h"\n', '#include "control.h"\n#include "state.h"\n') },
  {
    file: 'lcorolib.c',
    why: 'an event that yields to the host passes every coroutine on its way, and enters them again when it goes on',
    anchor: 'static int auxresume (lua_State *L, lua_State *co, int narg) {',
    replacement: 'static int auxresume (lua_State *L, lua_State *co, int narg, lua_KFunction again) {',
  },
  {
    file: 'lcorolib.c',
    why: 'the same',
    ...after(
      '  status = lua_resume(co, L, narg, &nres);\n',
      '  if (status == LUA_YIELD && lw_control.yielding)\n    return lua_yieldk(L, 0, (lua_KContext)co, again);\n',
    ),
  },
  {
    file: 'lcorolib.c',
    why: 'the same for coroutine.resume',
    anchor: `static int luaB_coresume (lua_State *L) {
  lua_State *co = getco(L);
  int r;
  r = auxresume(L, co, lua_gettop(L) - 1);
  if`,
    replacement: `static int endresume (lua_State *L, int r);

static int resumeagain (lua_State *L, int status, lua_KContext co) {
  (void)status;
  return endresume(L, auxresume(L, (lua_State *)co, 0, resumeagain));
}

static int luaB_coresume (lua_State *L) {
  lua_State *co = getco(L);
  return endresume(L, auxresume(L, co, lua_gettop(L) - 1, resumeagain));
}

static int endresume (lua_State *L, int r) {
  if`,
  },
  {
    file: 'lcorolib.c',
    why: 'the same for coroutine.wrap',
    anchor: `static int luaB_auxwrap (lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int r = auxresume(L, co, lua_gettop(L));
`,
    replacement: `static int endwrap (lua_State *L, lua_State *co, int r);

static int wrapagain (lua_State *L, int status, lua_KContext co) {
  (void)status;
  return endwrap(L, (lua_State *)co, auxresume(L, (lua_State *)co, 0, wrapagain));
}

static int luaB_auxwrap (lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return endwrap(L, co, auxresume(L, co, lua_gettop(L), wrapagain));
}

static int endwrap (lua_State *L, lua_State *co, int r) {
`,
  },
  {
    file: 'lcorolib.c',
    why: 'code that runs in place of the main thread must not notice',
    anchor: '  return lua_yield(L, lua_gettop(L));',
    replacement:
      '  if (L == lw_main_stand_in)\n    return luaL_error(L, "attempt to yield from outside a coroutine");\n  return lua_yield(L, lua_gettop(L));',
  },
  {
    file: 'lcorolib.c',
    why: 'the same',
    anchor: '  lua_pushboolean(L, lua_isyieldable(co));',
    replacement: '  lua_pushboolean(L, co != lw_main_stand_in && lua_isyieldable(co));',
  },
  {
    file: 'lcorolib.c',
    why: 'the same',
    anchor: '  lua_pushboolean(L, ismain);',
    replacement: '  lua_pushboolean(L, ismain || L == lw_main_stand_in);',
  },
  ...['lstrlib.c', 'ltablib.c'].map((file) => ({ file, why: 'declarations', ...after('#include "lualib.h"\n', '#include "control.h"\n') })),
  { file: 'lauxlib.c', why: 'declarations', ...after('#include "lauxlib.h"\n', '#include "control.h"\n') },
  {
    file: 'lstrlib.c',
    why: 'a pattern can backtrack for ever',
    ...before('  if (l_unlikely(ms->matchdepth-- == 0))', '  lw_poll(ms->L);\n'),
  },
  {
    file: 'lstrlib.c',
    why: 'plain search is quadratic; it needs the state to be stopped',
    ...after('static const char *lmemfind (', 'lua_State *L, '),
  },
  { file: 'lstrlib.c', why: 'its only call', ...after('const char *s2 = lmemfind(', 'L, ') },
  {
    file: 'lstrlib.c',
    why: 'the same',
    ...before('      init++;   /* 1st char is already checked */\n', '      lw_poll(L);\n'),
  },
  { file: 'lstrlib.c', why: 'a result of gigabytes', ...after('    while (n-- > 1) {', '\n      lw_poll(L);') },
  {
    file: 'lauxlib.c',
    why: 'whatever builds a long string passes here',
    ...after('static char *prepbuffsize (luaL_Buffer *B, size_t sz, int boxidx) {\n', '  lw_poll(B->L);\n'),
  },
  { file: 'ltablib.c', why: 'sort of a big table', ...after('static int sort_comp (lua_State *L, int a, int b) {\n', '  lw_poll(L);\n') },
  {
    file: 'ltablib.c',
    why: 'a range up to 2^63',
    anchor: '      for (i = 0; i < n; i++) {\n        lua_geti(L, 1, f + i);',
    replacement: '      for (i = 0; i < n; i++) {\n        lw_poll(L);\n        lua_geti(L, 1, f + i);',
  },
  {
    file: 'ltablib.c',
    why: 'the same downwards',
    ...after('      for (i = n - 1; i >= 0; i--) {', '\n        lw_poll(L);'),
  },
  {
    file: 'lstate.c',
    why: 'the stock seed is time and addresses: alike in states that start together',
    ...before('#if !defined(luai_makeseed)', 'extern unsigned lw_seed (void);\n#define luai_makeseed(L)	lw_seed()\n\n'),
  },
  {
    file: 'lmathlib.c',
    why: 'the same for math.random',
    anchor: '  lua_Unsigned seed1 = (lua_Unsigned)time(NULL);\n  lua_Unsigned seed2 = (lua_Unsigned)(size_t)L;',
    replacement: '  extern unsigned lw_seed (void);\n  lua_Unsigned seed1 = lw_seed();\n  lua_Unsigned seed2 = lw_seed();',
  },
  {
    file: 'lauxlib.c',
    why: 'scripts expect the usual numbers, not those of WASI',
    anchor: '    lua_pushinteger(L, en);\n    return 3;',
    replacement: '    extern int lw_errno (int number);\n    lua_pushinteger(L, lw_errno(en));\n    return 3;',
  },
  {
    file: 'luaconf.h',
    why: 'paths in messages are cut at 60 bytes otherwise',
    anchor: '#define LUA_IDSIZE	60',
    replacement: '#define LUA_IDSIZE	250',
  },
]

/**
 * @param {Record<string, string>} sources file name to text
 * @returns {Record<string, string>} the same with every edit applied
 */
export function applyEdits(sources) {
  const patched = { ...sources }
  for (const { file, anchor, replacement } of edits) {
    const text = patched[file]
    if (text === undefined) throw new Error(`patch: ${file} is not in the sources`)
    const parts = text.split(anchor)
    if (parts.length !== 2) throw new Error(`patch: ${file} holds the anchor ${parts.length - 1} times, not once:\n${anchor}`)
    patched[file] = parts.join(replacement)
  }
  return patched
}
