/* Included before every source file: what ISO C promises and wasi-libc does not declare. */
#ifndef LW_LIBC_H
#define LW_LIBC_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

FILE *tmpfile(void);
int system(const char *);

#endif
