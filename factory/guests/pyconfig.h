/* What CPython's pyconfig.h says of the machine that wrote it, said for the machine that is compiled for.

   It is included behind that file, as pymacconfig.h is on macOS, whose programs are for several machines, too. What the
   libc has stays as it was found. */

#undef SIZEOF_LONG
#define SIZEOF_LONG __SIZEOF_LONG__
#undef SIZEOF_LONG_DOUBLE
#define SIZEOF_LONG_DOUBLE __SIZEOF_LONG_DOUBLE__
#undef SIZEOF_PTHREAD_T
#define SIZEOF_PTHREAD_T __SIZEOF_LONG__
#undef SIZEOF_SIZE_T
#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__
#undef SIZEOF_UINTPTR_T
#define SIZEOF_UINTPTR_T __SIZEOF_POINTER__
#undef SIZEOF_VOID_P
#define SIZEOF_VOID_P __SIZEOF_POINTER__

/* glibc has times of 64 bits on machines of 32 bits since 2.34, for those who ask for them. */
#undef SIZEOF_TIME_T
#if __SIZEOF_LONG__ == 8 || (defined(_TIME_BITS) && _TIME_BITS == 64)
#define SIZEOF_TIME_T 8
#else
#define SIZEOF_TIME_T 4
#endif

/* Since CPython 3.11 and 3.13; all machines here align these by their size. */
#ifdef ALIGNOF_LONG
#undef ALIGNOF_LONG
#define ALIGNOF_LONG __SIZEOF_LONG__
#endif
#ifdef ALIGNOF_SIZE_T
#undef ALIGNOF_SIZE_T
#define ALIGNOF_SIZE_T __SIZEOF_SIZE_T__
#endif
#ifdef ALIGNOF_MAX_ALIGN_T
#undef ALIGNOF_MAX_ALIGN_T
#define ALIGNOF_MAX_ALIGN_T __BIGGEST_ALIGNMENT__
#endif

#ifndef __SIZEOF_INT128__
#undef HAVE_GCC_UINT128_T
#undef HAVE___UINT128_T
#endif
#if __SIZEOF_LONG__ < 8
#undef HAVE_LARGEFILE_SUPPORT
#define HAVE_LARGEFILE_SUPPORT 1
#endif
#ifdef __WCHAR_UNSIGNED__
#undef HAVE_USABLE_WCHAR_T
#define HAVE_USABLE_WCHAR_T 1
#endif
#ifndef __x86_64__
#undef HAVE_GCC_ASM_FOR_X64
#undef HAVE_GCC_ASM_FOR_X87
#endif

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#undef WORDS_BIGENDIAN
#define WORDS_BIGENDIAN 1
#undef FLOAT_WORDS_BIGENDIAN
#define FLOAT_WORDS_BIGENDIAN 1
#undef DOUBLE_IS_LITTLE_ENDIAN_IEEE754
#define DOUBLE_IS_BIG_ENDIAN_IEEE754 1
#endif
