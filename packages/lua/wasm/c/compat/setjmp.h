/* setjmp.h for wasm exceptions: the sysroot of wasi-libc leaves it out. Layout as LLVM's -wasm-enable-sjlj lowering expects it. */
#ifndef LW_SETJMP_H
#define LW_SETJMP_H

typedef struct {
  void *owner;
  unsigned label;
  struct {
    void *env;
    int value;
  } argument;
} jmp_buf[1];

int setjmp(jmp_buf) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf, int);

#endif
