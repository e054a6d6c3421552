# Makes a build's environment: links by the names of the image's compilers, which lead to ccache, and what uv is told.
# Arguments: the folder of the links, where they lead, and the command that makes all else.
links=$1 ccache=$2
shift 2
mkdir -p "$links"
link() {
    if command -v "$1" >/dev/null; then ln -s "$ccache" "$links/$1"; fi
}
for name in cc c++ gcc g++; do link "$name"; done
if machine=$(gcc -dumpmachine 2>/dev/null) && [ -n "$machine" ]; then
    # Some interpreters were compiled by these, and setuptools then calls them.
    for name in gcc g++ c++; do link "$machine-$name"; done
fi
exec "$@"
