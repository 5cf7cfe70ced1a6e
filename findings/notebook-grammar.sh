#!/bin/sh
# Reading a notebook builds a grammar of addresses, which takes several times as long as all else that is imported.
#
# nbformat 5.11.1, jsonschema 4.26.0, rfc3987-syntax 1.1.0, lark 1.3.1, Python 3.11 or 3.12. nbformat imports
# jsonschema. Where rfc3987-syntax is installed, jsonschema imports that, and it builds a parser of all of RFC 3987
# at import, whether or not any schema has a format "iri"; that of notebooks has none. Every Jupyter server brings
# it along: jupyter-events asks for jsonschema[format-nongpl], of which it is a part. So `import nbformat` is slow in
# an environment with JupyterLab, in every process anew, and fast in one without. One expects a format checker to be
# made when something is checked.
# Seen on a busy machine: import nbformat takes 0.34 s without it and 3.28 s with it.
# What to do, where no addresses are checked: sys.modules.setdefault("rfc3987_syntax", None) before nbformat is
# imported; jsonschema takes it for not installed.
# Source: jsonschema/_format.py, where the import stands at the top level, below `except ImportError`;
# rfc3987_syntax/syntax_helpers.py, where the parser is made.
set -eu
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
python="$here/venv/bin/python"
"$python" -m pip install --quiet nbformat==5.11.1 jsonschema==4.26.0
cat > "$here/seconds.py" <<'PYTHON'
import statistics
import subprocess
import sys

CODE = "import sys, time; {} t = time.perf_counter(); import nbformat; print(time.perf_counter() - t, 'lark' in sys.modules)"


def seen(before=""):
    """The median of the seconds that the import takes, and whether there is a parser then."""
    rows = [
        subprocess.run([sys.executable, "-c", CODE.format(before)], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(5)
    ]
    return statistics.median(float(seconds) for seconds, _ in rows), rows[0][1] == "True"


seconds, parser = seen(*sys.argv[1:])
print(seconds, parser)
PYTHON
"$python" "$here/seconds.py" > "$here/without"
"$python" -m pip install --quiet rfc3987-syntax==1.1.0 lark==1.3.1
"$python" "$here/seconds.py" > "$here/with"
"$python" "$here/seconds.py" 'sys.modules.setdefault("rfc3987_syntax", None);' > "$here/hidden"
"$python" - "$here" <<'PYTHON'
import pathlib
import sys

without, found, hidden = ((pathlib.Path(sys.argv[1]) / name).read_text().split() for name in ("without", "with", "hidden"))
print(f"import nbformat: {float(without[0]):.2f} s; with rfc3987-syntax {float(found[0]):.2f} s; hidden {float(hidden[0]):.2f} s")
assert (without[1], found[1], hidden[1]) == ("False", "True", "False"), "the parser is made at another time now"
assert float(found[0]) > 3 * float(without[0]), "it is no longer slow"
assert float(hidden[0]) < float(found[0]) / 3, "hiding it does not help any more"
PYTHON
