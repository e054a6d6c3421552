/* What Python.h of CPython before 3.11 includes, and zig's headers of glibc lack: libcrypt has left glibc. */
#ifndef FACTORY_CRYPT_H
#define FACTORY_CRYPT_H

#ifdef __cplusplus
extern "C" {
#endif

struct crypt_data;
extern char *crypt(const char *, const char *);
extern char *crypt_r(const char *, const char *, struct crypt_data *);

#ifdef __cplusplus
}
#endif

#endif
