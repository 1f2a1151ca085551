/*
** Included before Lua's io, os, package and auxiliary libraries: sends paths, processes, the clock's zone and the way out
** to the host as they are. wasi-libc would resolve paths itself, against preopened directories, and knows only UTC.
*/
#ifndef LW_FILES_H
#define LW_FILES_H

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct lua_State;

void lw_open_files(void);

FILE *lw_fopen(const char *path, const char *mode);
FILE *lw_freopen(const char *path, const char *mode, FILE *file);
FILE *lw_tmpfile(void);
int lw_tmpname(char *buffer, size_t size);
int lw_remove(const char *path);
int lw_rename(const char *from, const char *to);
FILE *lw_popen(const char *command, const char *mode);
int lw_pclose(FILE *file);
int lw_system(const char *command);
char *lw_getenv(const char *name);
struct tm *lw_localtime(const time_t *time, struct tm *result);
time_t lw_mktime(struct tm *tm);
clock_t lw_clock(void);
char *lw_setlocale(int category, const char *locale);
size_t lw_fwrite(const void *data, size_t size, size_t count, FILE *file);
int lw_fprintf(FILE *file, const char *format, ...);
_Noreturn void lw_exit(struct lua_State *L, int code);

#ifdef LW_REDIRECT
#define fopen lw_fopen
#define freopen lw_freopen
#define tmpfile lw_tmpfile
#define remove lw_remove
#define rename lw_rename
#define system lw_system
#define getenv lw_getenv
#define mktime lw_mktime
#define setlocale lw_setlocale
#define clock lw_clock
#define fwrite lw_fwrite
#define fprintf lw_fprintf
#define exit(code) lw_exit(L, code)
#define lua_close(L) ((void)0) /* os.exit(code, true): the host closes the state by dropping it */
#define l_popen(L, command, mode) (fflush(NULL), lw_popen(command, mode))
#define l_pclose(L, file) ((void)L, lw_pclose(file))
#define l_checkmodep(mode) ((mode[0] == 'r' || mode[0] == 'w') && mode[1] == '\0')
#define l_gmtime(time, result) gmtime_r(time, result)
#define l_localtime(time, result) lw_localtime(time, result)
#define LUA_TMPNAMBUFSIZE 1024
#define lua_tmpnam(buffer, failed) (failed = !lw_tmpname(buffer, LUA_TMPNAMBUFSIZE))
#define lua_writeline() lua_writestring("\n", 1) /* no flush: the host asks for one when it wants the output */
#endif

#endif
