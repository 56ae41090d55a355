"""The pages of the browser phones: served on the loopback, with JsSIP as one script made of its modules."""

import functools
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "e2e" / "browser"
PACKAGES = ROOT / "build" / "browser" / "node_modules"
KINDS = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
LOADER = """(() => {
const loaded = {};
function load(name) {
    if (!loaded[name]) {
        const module = loaded[name] = { exports: {} };
        const [run, names] = modules[name];
        run(module, module.exports, (wanted) => load(names[wanted]));
    }
    return loaded[name].exports;
}
"""


def file_of(wanted, asker):
    """The file that a module means when it requires a name, as Node.js and the `browser` field of package.json have it."""
    if wanted.startswith("."):
        place = (asker.parent / wanted).resolve()
    else:
        place = PACKAGES / wanted
        about = json.loads((place / "package.json").read_text(encoding="utf-8"))
        browser = about.get("browser")
        place = (place / (browser if isinstance(browser, str) else about.get("main", "index.js"))).resolve()
    for path in (place, Path(f"{place}.js"), place / "index.js"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{asker} requires {wanted}, and there is none")


@functools.cache
def bundle(package, name):
    """A script that defines `name` as what the package exports."""
    assert (PACKAGES / package).is_dir(), f"the npm package {package} is not in build/browser; ./test --only e2e puts it there"
    first = file_of(package, PACKAGES)
    modules, waiting = {}, [first]
    while waiting:
        path = waiting.pop()
        if path in modules:
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            modules[path] = ("module.exports = " + text, {})
            continue
        names = {wanted: file_of(wanted, path) for wanted in re.findall(r"""\brequire\(['"]([^'"]+)['"]\)""", text)}
        modules[path] = (text, names)
        waiting.extend(names.values())
    parts = [f"{json.dumps(str(path))}: [function (module, exports, require) {{{text}\n}}, "
             f"{json.dumps({wanted: str(found) for wanted, found in names.items()})}]" for path, (text, names) in modules.items()]
    return f"{LOADER}const modules = {{\n" + ",\n".join(parts) + f"\n}};\nwindow.{name} = load({json.dumps(str(first))});\n}})();\n"


class Handler(BaseHTTPRequestHandler):
    """Gives the files of e2e/browser and the script of JsSIP."""

    def do_GET(self):
        name = self.path.lstrip("/")
        path = PAGES / name
        if name == "jssip.js":
            text = bundle("jssip", "JsSIP")
        elif path.parent == PAGES and path.suffix in KINDS and path.is_file():
            text = path.read_text(encoding="utf-8")
        else:
            self.send_error(404)
            return
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", KINDS[Path(name).suffix])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Pages:
    """Serves the pages at an origin."""

    def __init__(self):
        bundle("jssip", "JsSIP")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, name):
        return f"{self.origin}/{name}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
