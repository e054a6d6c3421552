# Prints what an image holds: interpreters, libc, GCC, rustc and a package manager, a line each.
# Argument: the program that every interpreter is given, probe_python.py.
for python in /opt/python/*/bin/python /usr/bin/python3.[0-9] /usr/bin/python3.[0-9][0-9] /usr/bin/python3.[0-9]*t \
    /usr/bin/pypy3.[0-9] /usr/bin/pypy3.[0-9][0-9] \
    /usr/local/bin/python3.[0-9] /usr/local/bin/python3.[0-9][0-9] /usr/local/bin/python3.[0-9]*t; do
    if [ -x "$python" ]; then "$python" -I -c "$1" "$python" || echo "broken $python"; fi
done
for libc in /lib/*-linux-gnu*/libc.so.6 /lib64/libc.so.6; do
    if [ -x "$libc" ]; then "$libc"; break; fi
done | sed -n 's/^GNU C Library.* version \([0-9]*\)\.\([0-9]*\)[.,].*/glibc [\1, \2]/p'
for libc in /lib/ld-musl-*.so.1; do
    if [ -x "$libc" ]; then "$libc" 2>&1; fi
done | sed -n 's/^Version \([0-9]*\)\.\([0-9]*\).*/musl [\1, \2]/p'
if command -v gcc >/dev/null; then gcc -dumpfullversion | sed -n 's/^[0-9.]*$/gcc "&"/p'; fi
if command -v rustc >/dev/null; then rustc --version | sed -n 's/^rustc \([0-9.]*\).*/rustc "\1"/p'; fi
for manager in apt dnf yum apk; do
    if command -v $manager >/dev/null; then echo "packages \"$manager\""; break; fi
done
