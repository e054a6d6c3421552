#!/bin/sh
# Make a root filesystem with musl and without glibc where this runs, a suite's root with its compilers: userland.sh PROGRAM
# In /compile/root go musl's loader, a static busybox, and CPython, compiled by musl-gcc from what /compile/sources holds.
# PROGRAM is python3.13 or the like. What CPython needs of zlib and libffi is linked into its modules. It has no OpenSSL,
# bzip2, xz or SQLite, so that its library lacks what needs them.
# It is optimised a little, and by no profile: that takes less time than the speed would ever save where wheels are tried.
set -eu
program=$1
root=/compile/root static=/compile/static jobs=$(nproc)
export LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=315532800 CC=/compile/cc

machine=$(uname -m)
# CPython's configure asks the compiler for the name that its modules carry; musl-gcc gives glibc's.
cat >$CC <<TEXT
#!/bin/sh
[ "\$1" != --print-multiarch ] || { echo $machine-linux-musl; exit; }
exec musl-gcc "\$@"
TEXT
chmod +x $CC

unpack() { # unpack NAME: the source of that package, as its authors packed it
    mkdir "/compile/$1"
    tar --extract --file="$(ls /compile/sources/"$1"_*.orig.tar.?z)" --directory="/compile/$1" --strip-components=1
    cd "/compile/$1"
}

echo "compiling zlib and libffi with musl-gcc"
unpack zlib
CFLAGS='-O3 -fPIC' ./configure --static --prefix=$static >/dev/null
make --silent --jobs="$jobs" install >/dev/null
unpack libffi
autoreconf --install >/dev/null 2>&1
# Its trampolines of that kind need headers of Linux, which musl-gcc does not search.
./configure --quiet --prefix=$static --disable-shared --with-pic --disable-docs --disable-multi-os-directory \
    --disable-exec-static-tramp
make --silent --jobs="$jobs" install >/dev/null

echo "compiling $program with musl-gcc"
unpack "$program"
./configure --quiet OPT='-DNDEBUG -fwrapv -O3 -Wall' --prefix=/usr --disable-shared --without-static-libpython \
    ZLIB_CFLAGS="-I$static/include" ZLIB_LIBS="-L$static/lib -lz" \
    LIBFFI_CFLAGS="-I$static/include" LIBFFI_LIBS="-L$static/lib -lffi" \
    --with-ensurepip=no --disable-test-modules
make --silent --jobs="$jobs" OPT='-DNDEBUG -fwrapv -O1'
make --silent OPT='-DNDEBUG -fwrapv -O1' DESTDIR=$root altbininstall libinstall sharedinstall >/dev/null

cd $root
for unwanted in ensurepip idlelib tkinter turtledemo "config-${program#python}-$machine-linux-musl"; do
    rm --force --recursive "usr/lib/$program/$unwanted"
done
find . -name __pycache__ -prune -exec rm -r {} +
strip --strip-unneeded "usr/bin/$program" "usr/lib/$program"/lib-dynload/*.so
ln --symbolic "$program" usr/bin/python3

mkdir dev proc sys run root etc tmp var usr/sbin var/tmp
chmod 1777 tmp var/tmp
for folder in bin lib sbin; do ln --symbolic "usr/$folder" "$folder"; done
install --mode=755 "/lib/ld-musl-$machine.so.1" "/usr/bin/busybox" .
mv "ld-musl-$machine.so.1" usr/lib
mv busybox usr/bin
for tool in $(busybox --list); do
    [ -e "usr/bin/$tool" ] || ln --symbolic busybox "usr/bin/$tool"
done
cat >etc/passwd <<TEXT
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
builder:x:1000:1000:builder:/work/home:/bin/sh
TEXT
cat >etc/group <<TEXT
root:x:0:
nogroup:x:65534:
builder:x:1000:
TEXT

PYTHONHOME=$root/usr "usr/bin/$program" -c 'import ctypes, decimal, hashlib, socket, sysconfig, zlib
assert sysconfig.get_config_var("EXT_SUFFIX").endswith("-linux-musl.so"), sysconfig.get_config_var("EXT_SUFFIX")'
# Trials see it read-only, so it is compiled ahead; unchecked files (PEP 552) stay valid whatever their times.
PYTHONHOME=$root/usr "usr/bin/$program" -m compileall -q -j "$jobs" --invalidation-mode unchecked-hash -s $root -p / "usr/lib/$program"
