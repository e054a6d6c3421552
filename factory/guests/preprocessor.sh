# Preprocesses a file for ccache, which has opened a file as the output; fails where the assembler would read other files,
# at which ccache does not look. ccache then has the file compiled, and remembers nothing of it.
"$@" || exit
LC_ALL=C grep -qiE '\.inc(bin|lude)' /proc/self/fd/1
[ $? -eq 1 ]
