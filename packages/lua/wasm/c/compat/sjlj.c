/* The three functions that LLVM's setjmp lowering calls, and the exception tag they share with compiled code. */
#include <setjmp.h>
#include <stdint.h>

void __wasm_setjmp(void *env, uint32_t label, void *owner) {
  jmp_buf *buffer = env;
  (*buffer)->owner = owner;
  (*buffer)->label = label;
}

/* 0: the jump is not for the asking function. */
uint32_t __wasm_setjmp_test(void *env, void *owner) {
  jmp_buf *buffer = env;
  return (*buffer)->owner == owner ? (*buffer)->label : 0;
}

void __wasm_longjmp(void *env, int value) {
  jmp_buf *buffer = env;
  (*buffer)->argument.env = env;
  (*buffer)->argument.value = value ? value : 1;
  __builtin_wasm_throw(1, &(*buffer)->argument);
}

__asm__(".globl __c_longjmp\n.tagtype __c_longjmp i32\n__c_longjmp:\n");
