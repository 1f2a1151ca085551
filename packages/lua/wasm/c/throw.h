/* For ldo.c: LUAI_THROW and LUAI_TRY are its documented configuration macros. The raising stack is alive when the hook runs. */
#ifndef LW_THROW_H
#define LW_THROW_H

#include <setjmp.h>

struct lua_State;
void lw_on_throw(struct lua_State *L, int status);

#define LUAI_THROW(L, c) (lw_on_throw(L, (c)->status), longjmp((c)->b, 1))
#define LUAI_TRY(L, c, a) \
  if (setjmp((c)->b) == 0) { \
    a \
  }
#define luai_jmpbuf jmp_buf

#endif
