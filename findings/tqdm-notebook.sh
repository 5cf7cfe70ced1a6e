#!/bin/sh
# TQDM_DISABLE=1 turns bars off in a terminal, and not in a notebook; and a bar that is off lacks attributes.
#
# tqdm 4.70.1, ipywidgets 8.1.9, Python 3.11 or 3.12. tqdm takes defaults from the environment, TQDM_DISABLE among them,
# but tqdm.notebook.tqdm, which tqdm.auto is in a kernel, hands disable=False to its parent where nothing is given, and
# what is given wins over the environment. One expects one variable to silence both.
# Besides, a disabled bar of tqdm.std has no attribute `postfix` (an enabled one has None), so that code which reads it
# works until somebody disables bars.
# What to do: read the variable yourself and pass disable=; do not read bar.postfix.
# Source: https://github.com/tqdm/tqdm/blob/v4.70.1/tqdm/notebook.py (tqdm_notebook.__init__), tqdm/std.py (envwrap)
set -eu
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet tqdm==4.70.1 ipywidgets==8.1.9
cat > "$here/seen.py" <<'PYTHON'
import io

import tqdm
import tqdm.notebook
import tqdm.std

terminal = tqdm.std.tqdm(range(3), file=io.StringIO())
notebook = tqdm.notebook.tqdm(range(3), display=False)
print(f"tqdm {tqdm.__version__}, TQDM_DISABLE=1: disabled in a terminal: {terminal.disable}, in a notebook: {notebook.disable}")
print(f"a disabled bar has an attribute postfix: {hasattr(terminal, 'postfix')}")
assert terminal.disable and not notebook.disable, "changed: both heed the variable, or none"
assert not hasattr(terminal, "postfix") and tqdm.std.tqdm(disable=False, file=io.StringIO()).postfix is None
PYTHON
TQDM_DISABLE=1 "$here/venv/bin/python" "$here/seen.py"
