"""web/page.py CALCULUS.js OUT.html: puts the page together: one file, nothing is fetched."""

import base64
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main():
    calculus, out = map(Path, sys.argv[1:])
    parts = {name: (FOLDER / name).read_text() for name in ("page.css", "mathml.js", "examples.js", "page.js")}
    parts["calculus.js"] = calculus.read_text()
    parts["calculus.wasm"] = base64.b64encode(calculus.with_suffix(".wasm").read_bytes()).decode()
    for name, text in parts.items():
        if re.search(r"</(script|style)", text):
            sys.exit(f"{name} would end its own element")
    page = (FOLDER / "page.html").read_text()
    out.write_text(re.sub(r"/\* include (\S+) \*/", lambda found: parts[found[1]], page))


if __name__ == "__main__":
    main()
