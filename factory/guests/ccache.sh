#!/bin/sh
# Calls a compiler of the image through ccache, by the name of the link that leads here. ccache takes no file whose name
# begins with its own for a compiler, and so goes on to the image's.
export CCACHE_DIR=/work/compiled
# What became of each file: a line for each counter that ccache raised.
export CCACHE_STATSLOG=/work/compiled/counts
# No configuration of the image or the workspace: it could make ccache ignore what changes a result.
export CCACHE_CONFIGPATH=/dev/null
export CCACHE_COMPILERCHECK=content
# The direct mode does not see a new header that comes before one that was found (ccache's manual, "Caveats").
export CCACHE_NODIRECT=1
export CCACHE_PREFIX_CPP="sh /tools/preprocessor.sh"
for word; do
    case $word in
    # What is not preprocessed may be assembled, and name files that ccache does not look at.
    *.s | *.i | *.ii | *.mi | *.mii | -x* | --language* | -fpreprocessed | @*) export CCACHE_DISABLE=1 ;;
    # What is compiled for this machine's processor is not for that of the next.
    -m*=native) export CCACHE_DISABLE=1 ;;
    esac
done
exec /tools/bin/ccache "${0##*/}" "$@"
