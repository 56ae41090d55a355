"""What the first lines and the tests of a source tree say of themselves; the base of the document generators."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECTION = r"[0-9A-Z]+(?:\.[0-9A-Z]+)*"
SUITE = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)", re.MULTILINE)
REFERENCE = re.compile(rf"RFC (\d+)|§ ?({SECTION})(?:[–-]({SECTION}))?")
DEVIATION = re.compile(r"Deviation: (RFC \d+ §[^—]*?) — (.+)")


def opening_comment(text):
    """The comment that opens a file, without its marks, as a list of lines; a script's first line is passed over."""
    lines = []
    for line in text.split("\n"):
        if line.startswith("#!"):
            continue
        match = re.match(r'^(?://|#(?!include|pragma|ifdef|ifndef|define|if\b)|""")[!/]* ?(.*)', line)
        if not match:
            break
        lines.append(match.group(1).removesuffix('"""'))
        if line.startswith('"""'):
            break
    return lines


def purpose_of(text):
    """The first sentence of the opening comment, without its full stop, or None."""
    joined = " ".join(opening_comment(text)).split("Implements:")[0].split("Deviation:")[0].strip()
    if not joined:
        return None
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z])", joined, maxsplit=1)[0]
    return sentence.rstrip(".").strip()


def references_in(text):
    """Every (rfc, section) that a text names: "RFC 3261 §16.3, §16.6–16.7; RFC 6026 §7.2"; a range gives its two ends and what
    lies between when only the last number differs."""
    found, rfc = [], None
    for match in REFERENCE.finditer(text):
        if match.group(1):
            rfc = match.group(1)
            rest = text[match.end():match.end() + 3]
            if "§" not in rest:
                found.append((rfc, ""))
        elif rfc:
            found += [(rfc, section) for section in section_range(match.group(2), match.group(3))]
    return found


def section_range(first, last):
    if not last:
        return [first]
    head, _, tail = first.rpartition(".")
    last_head, _, last_tail = last.rpartition(".")
    if head == last_head and tail.isdigit() and last_tail.isdigit():
        prefix = head + "." if head else ""
        return [f"{prefix}{number}" for number in range(int(tail), int(last_tail) + 1)]
    return [first, last]


def implemented_in(text):
    """The (rfc, section) pairs of the `Implements:` lines of the opening comment."""
    _, found, rest = " ".join(opening_comment(text)).partition("Implements:")
    return references_in(rest.split("Deviation:")[0]) if found else []


def deviations_in(text):
    """(reference, reason) of each `// Deviation: RFC nnnn §x — reason`; a reason may go on in the next comment lines."""
    found, lines = [], text.split("\n")
    for index, line in enumerate(lines):
        match = re.match(r"^\s*//+ ?(.*)", line)
        if not match or "Deviation:" not in match.group(1):
            continue
        joined = match.group(1)
        for follower in lines[index + 1:]:
            more = re.match(r"^\s*//+ ?(.*)", follower)
            if not more or not more.group(1) or "Implements:" in more.group(1) or "Deviation:" in more.group(1):
                break
            joined += " " + more.group(1)
        deviation = DEVIATION.search(joined)
        if deviation:
            found.append((deviation.group(1).strip(), deviation.group(2).split(". ")[0].strip().rstrip(".")))
    return found


def suites_in(text):
    """The names of the test suites of a file, in order, each once."""
    return list(dict.fromkeys(suite for suite, _ in SUITE.findall(text)))


def sections_of_suite(suite):
    """InviteClient_Rfc3261_17_1_1 gives ("3261", "17.1.1"); a suite may name several RFCs."""
    return [(rfc, section.strip("_").replace("_", "."))
            for rfc, section in re.findall(r"_Rfc(\d+)((?:_(?:\d+|[A-Z])(?=_|$))*)", suite)]


def cases_in(text):
    """The tests of a file as (suite, case), in order."""
    return [pair for pair in SUITE.findall(text)]


def covered_in(text):
    """The (rfc, section) pairs that a test file's opening comment says it covers."""
    _, found, rest = " ".join(opening_comment(text)).partition("Covers")
    return references_in(re.split(r"Not covered", rest)[0]) if found else []


def section_key(section):
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in section.split(".")]


def files_under(root, folder, *suffixes):
    """The files of a folder with these suffixes, in a stable order, as pairs of path from the root and text."""
    for path in sorted((root / folder).rglob("*")):
        if path.is_file() and path.suffix in suffixes:
            yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def modules_in(cmake_text):
    """The folders of src/ that CMakeLists.txt names, bottom first, each with the folders that it stands on."""
    modules = {}
    for kind, arguments in re.findall(r"sb_(module|program)\(([^)]*)\)", cmake_text):
        words = arguments.split()
        if kind == "program":
            words = words[1:]
        if words and re.fullmatch(r"\w+", words[0]):
            modules.setdefault(words[0], set()).update(word for word in words[1:] if word in modules)
    return modules


def write_or_check(path, text, check, tool):
    """Writes a generated document, or says that it is stale. Returns an exit status."""
    current = path.read_text(encoding="utf-8") if path.exists() else ""
    if current == text:
        return 0
    if check:
        print(f"{path.name} is stale: run tools/{tool} and commit what it writes")
        return 1
    path.write_text(text, encoding="utf-8")
    return 0
