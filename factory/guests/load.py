import fnmatch, glob, os, subprocess, sys
(loader,) = glob.glob("/lib64/ld-linux-*.so.?") or glob.glob("/lib/ld-linux*.so.?") or glob.glob("/lib/ld-musl-*.so.1")
# As ldd asks glibc's: with --list it ends at the first library that is not there.
listing, env = (["--list"], None) if "musl" in loader else ([], {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"})
bad, excluded, tolerated = 0, sys.argv[1].split(), set(sys.argv[2].split("\n"))

def is_bad(line):
    name, arrow, _ = line.strip().partition(" => not found")
    return "not found" in line and not (arrow and any(fnmatch.fnmatchcase(name, glob) for glob in excluded))

for path in sys.argv[3:]:
    done = subprocess.run([loader, *listing, path], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode(errors="replace")
    print(path, said, sep="\n", flush=True)
    lacking = [line.strip() for line in said.splitlines() if is_bad(line)]
    if done.returncode or lacking:
        waived = path in tolerated
        bad = bad or not waived
        print("note: waived:" if waived else "error:", "the loader cannot resolve", ": ".join([path, *lacking[:1]]), flush=True)
sys.exit(int(bad))
