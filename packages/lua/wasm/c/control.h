/*
** The control block: the words that host and VM share in linear memory. Another thread may read
** everything and write `signal` and `flush_line` while Lua runs; the rest is written by the thread that runs the VM.
** src/control.ts mirrors the order of the fields: append only.
*/
#ifndef LW_CONTROL_H
#define LW_CONTROL_H

#include <stddef.h>

struct lua_State;

enum { LW_SIGNAL_NONE, LW_SIGNAL_ATTENTION, LW_SIGNAL_HARD };

struct lw_control {
  volatile int signal;   /* LW_SIGNAL_*, polled at loop edges, calls and in long-running C functions */
  int tracing;           /* breakpoints or a step are active */
  int step_mode;         /* LW_RUN, LW_STEP_* */
  int catching;          /* report errors to the host when they are thrown */
  size_t used;           /* bytes of Lua heap */
  size_t limit;          /* 0: none */
  size_t peak;
  int output_pending;    /* bytes may be waiting in the buffer of stdout */
  int interrupted;       /* an interrupt was raised since the host last cleared this */
  int exiting;           /* os.exit is unwinding */
  int exit_code;
  unsigned char *out;    /* last encoded message to the host */
  size_t out_length;
  int out_count;         /* values in it */
  int compiling;         /* depth of running compilations: their errors are not exceptions of the program */
  volatile int flush_line; /* set by any thread: the next end of a line on stdout goes to the host at once */
  int origin;            /* set by the host while it loads a chunk: the number of its source; below 0: not the program's */
  int telling;           /* ask the host for the source of every other chunk that is loaded */
  int recording;         /* report every line that is reached */
  int yielding;          /* an event yields: every coroutine of the chain must, down to the host */
};

extern struct lw_control lw_control;

/* For C functions whose work is not bounded by the size of their result: lets a hard signal in. */
#define lw_poll(L) \
  do { \
    if (__builtin_expect(lw_control.signal == LW_SIGNAL_HARD, 0)) \
      lw_raise_interrupt(L); \
  } while (0)

_Noreturn void lw_raise_interrupt(struct lua_State *L);

#define LW_EXPORT(name) __attribute__((export_name(#name), used))
#define LW_IMPORT(name) __attribute__((import_module("lua_host"), import_name(#name)))

#endif
