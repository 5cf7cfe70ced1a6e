"""From stored results and notebooks to the site: plans, statements, pages."""

import sys

# nbformat imports jsonschema, and that, for addresses in other alphabets, a grammar that takes longer to
# build than all else takes to import: findings/notebook-grammar.sh. Without it they are not checked;
# notebooks have none
sys.modules.setdefault("rfc3987_syntax", None)
