/* Files, processes, environment and time through the host (see files.h). Host functions return -errno (WASI numbers) on failure. */
#include "files.h"
#include "control.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

LW_IMPORT(host_open) int host_open(const char *path, size_t length, const char *mode, size_t mode_length);
LW_IMPORT(host_tmpfile) int host_tmpfile(void);
LW_IMPORT(host_tmpname) int host_tmpname(char *buffer, size_t size);
LW_IMPORT(host_remove) int host_remove(const char *path, size_t length);
LW_IMPORT(host_rename) int host_rename(const char *from, size_t from_length, const char *to, size_t to_length);
LW_IMPORT(host_popen) int host_popen(const char *command, size_t length, int writing);
LW_IMPORT(host_pclose) int host_pclose(int fd);
LW_IMPORT(host_system) int host_system(const char *command, size_t length);
LW_IMPORT(host_getenv) int host_getenv(const char *name, size_t length, char *buffer, size_t size);
LW_IMPORT(host_zone) int host_zone(double seconds, int is_local);
LW_IMPORT(host_processor_time) double host_processor_time(void);
LW_IMPORT(host_random) double host_random(void);

#define OUTPUT_BUFFER (64 * 1024)

void lw_open_files(void) { setvbuf(stdout, malloc(OUTPUT_BUFFER), _IOFBF, OUTPUT_BUFFER); }

LW_EXPORT(lw_flush) void lw_flush(void) {
  fflush(stdout);
  lw_control.output_pending = 0;
}

/* Files that a script left open, too. */
LW_EXPORT(lw_flush_all) void lw_flush_all(void) {
  fflush(NULL);
  lw_control.output_pending = 0;
}

/* Output is buffered, yet a line before something long should show: the host asks for the first line after a pause. */
size_t lw_fwrite(const void *data, size_t size, size_t count, FILE *file) {
  if (file != stdout) return fwrite(data, size, count, file);
  lw_control.output_pending = 1;
  size_t written = fwrite(data, size, count, file), length = size * count;
  if (lw_control.flush_line && length && ((const char *)data)[length - 1] == '\n') {
    lw_control.flush_line = 0;
    lw_flush();
  }
  return written;
}

int lw_fprintf(FILE *file, const char *format, ...) {
  if (file == stdout) lw_control.output_pending = 1;
  va_list arguments;
  va_start(arguments, format);
  int written = vfprintf(file, format, arguments);
  va_end(arguments);
  return written;
}

/* WASI numbers to those that scripts know from everywhere else (Linux). */
int lw_errno(int number) {
  static const struct {
    int wasi, usual;
  } table[] = {
      {E2BIG, 7},      {EACCES, 13},  {EAGAIN, 11}, {EBADF, 9},    {EBUSY, 16},   {EEXIST, 17},    {EFBIG, 27},  {EINVAL, 22},
      {EIO, 5},        {EISDIR, 21},  {ELOOP, 40},  {EMFILE, 24},  {ENAMETOOLONG, 36}, {ENFILE, 23}, {ENODEV, 19}, {ENOENT, 2},
      {ENOEXEC, 8},    {ENOMEM, 12},  {ENOSPC, 28}, {ENOSYS, 38},  {ENOTDIR, 20}, {ENOTEMPTY, 39}, {ENOTSUP, 95}, {ENXIO, 6},
      {EPERM, 1},      {EPIPE, 32},   {EROFS, 30},  {ESPIPE, 29},  {ETIMEDOUT, 110}, {ETXTBSY, 26}, {EXDEV, 18},   {EDOM, 33},
      {ERANGE, 34},    {ECHILD, 10},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].wasi == number) return table[i].usual;
  return number;
}

static int check(int result) {
  if (result >= 0) return result;
  errno = -result;
  return -1;
}

static FILE *stream(int fd, const char *mode) {
  if (check(fd) < 0) return NULL;
  FILE *file = fdopen(fd, mode);
  if (!file) close(fd);
  return file;
}

FILE *lw_fopen(const char *path, const char *mode) { return stream(host_open(path, strlen(path), mode, strlen(mode)), mode); }

FILE *lw_freopen(const char *path, const char *mode, FILE *file) {
  fclose(file);
  return lw_fopen(path, mode);
}

FILE *lw_tmpfile(void) { return stream(host_tmpfile(), "w+"); }

int lw_tmpname(char *buffer, size_t size) { return check(host_tmpname(buffer, size)) >= 0; }

int lw_remove(const char *path) { return check(host_remove(path, strlen(path))); }

int lw_rename(const char *from, const char *to) { return check(host_rename(from, strlen(from), to, strlen(to))); }

FILE *lw_popen(const char *command, const char *mode) { return stream(host_popen(command, strlen(command), mode[0] == 'w'), mode); }

/* The host runs a command given "w" when its input is complete: at close. */
int lw_pclose(FILE *file) {
  fflush(file);
  int status = host_pclose(fileno(file));
  fclose(file);
  return check(status);
}

int lw_system(const char *command) {
  fflush(NULL);
  return check(host_system(command, command ? strlen(command) : 0));
}

/* Valid until the next call, as ISO C has it. */
char *lw_getenv(const char *name) {
  static char *buffer;
  static size_t size;
  for (;;) {
    int length = host_getenv(name, strlen(name), buffer, size);
    if (length < 0) return NULL;
    if ((size_t)length < size) {
      buffer[length] = 0;
      return buffer;
    }
    char *grown = realloc(buffer, (size_t)length + 1);
    if (!grown) return NULL;
    buffer = grown;
    size = (size_t)length + 1;
  }
}

struct tm *lw_localtime(const time_t *time, struct tm *result) {
  time_t shifted = *time + host_zone((double)*time, 0);
  return gmtime_r(&shifted, result);
}

time_t lw_mktime(struct tm *tm) {
  time_t local = timegm(tm);
  if (local == (time_t)-1) return local;
  time_t utc = local - host_zone((double)local, 1);
  return lw_localtime(&utc, tm) ? utc : (time_t)-1;
}

/* wasi-libc would give wall-clock time. */
clock_t lw_clock(void) { return (clock_t)(host_processor_time() * CLOCKS_PER_SEC); }

/* musl accepts any name for a locale and changes nothing: only what is true is accepted here. */
char *lw_setlocale(int category, const char *locale) {
  (void)category;
  return !locale || !*locale || !strcmp(locale, "C") || !strcmp(locale, "POSIX") ? "C" : NULL;
}

/* Seeds of hashes and of math.random: time and addresses are alike in states that start together. */
unsigned lw_seed(void) { return (unsigned)(host_random() * 4294967296.0); }
