# Prints the files by which a crate's build script may depend on an interpreter: build scripts that mention Python, and
# the manifests of crates whose build script has another name. Arguments: folders with the sources of crates.
for folder; do
    [ -d "$folder" ] || continue
    find "$folder" -type f -path '*build*' -name '*.rs' -exec grep -liE 'python|pyo3' {} +
    find "$folder" -type f -name Cargo.toml -exec grep -HE '^build *= *"' {} + | grep -v '"[^"]*build' | cut -d : -f 1
done
exit 0
