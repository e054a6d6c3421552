# Looks for a Python where PyO3, maturin and build scripts look for one, says what it saw, and fails if there is one.
# Arguments: folders of interpreters, which must be empty.
seen=0

refuse() {
    echo "error: $1"
    seen=$((seen + 1))
}

for name in PYO3_PYTHON PYO3_CONFIG_FILE PYTHON_SYS_EXECUTABLE VIRTUAL_ENV CONDA_PREFIX; do
    if eval "[ -n \"\${$name+set}\" ]"; then refuse "$name is set"; fi
done
echo "PYO3_NO_PYTHON is ${PYO3_NO_PYTHON-not set}"
IFS=:
for folder in $PATH; do
    before=$seen
    for program in "$folder/python" "$folder/python3" "$folder"/python3.* "$folder"/pypy* "$folder"/graalpy*; do
        case $program in
            *-config) ;;
            *) if [ -x "$program" ]; then refuse "$program is an interpreter on PATH"; fi ;;
        esac
    done
    if [ $seen = $before ]; then echo "no interpreter in $folder"; fi
done
for folder; do
    if [ -n "$(ls -A "$folder" 2>/dev/null)" ]; then refuse "$folder is not empty"; else echo "$folder is empty"; fi
done
[ $seen = 0 ]
