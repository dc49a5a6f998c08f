"""web/picture.py PAGE.html OUT.png: the page as the documents show it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from devtools import Browser  # noqa: E402


def main():
    page_file, out = map(Path, sys.argv[1:])
    with Browser() as page:
        page.open(page_file.resolve().as_uri() + "#f=logdet(X'*A*X) - tr(B'*X)&wrt=X&spd=A", width=1200, height=760)
        if not page.wait("document.documentElement.dataset.ready === 'true'"):
            sys.exit("the page does not begin")
        page.photograph(out)


if __name__ == "__main__":
    main()
