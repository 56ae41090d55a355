"""The hand-written rows of docs/conformance/: one for each MUST of RFC 3261 that the page shows, and the sections of the other RFCs."""

import re
from dataclasses import dataclass, field

from sources import deviations_in, files_under, references_in, section_key

STATUSES = ("implemented", "deviates", "not", "n/a")
IDENTITY = re.compile(r"^(\d+(?:\.\d+)*)-(\d+)$")


@dataclass
class Row:
    """One rule: what it asks of whom, and what proves it. `reason` says why it is not simply implemented."""
    identity: str
    binds: str
    status: str
    reason: str
    rule: str
    tests: list = field(default_factory=list)
    rules: list = field(default_factory=list)

    @property
    def section(self):
        return self.identity.split("-")[0]


def row_of(line):
    """A line `id | whom it binds | status[: why] | the rule | proofs`, or the sentence that says what is wrong with it."""
    cells = [cell.strip() for cell in line.split(" | ")]
    if len(cells) != 5:
        return f"{len(cells)} cells instead of 5: {line}"
    identity, binds, status, rule, proofs = cells
    status, _, reason = (part.strip() for part in status.partition(":"))
    if not IDENTITY.match(identity) or status not in STATUSES:
        return f"neither a rule's number nor a status: {line}"
    if (status != "implemented") != bool(reason):
        return f"{identity}: every status but `implemented` has a reason"
    names = [name.strip() for name in proofs.split(",") if name.strip() not in ("", "-")]
    rules = [name.removeprefix("rule ") for name in names if name.startswith("rule ")]
    tests = [name.partition(".")[::2] for name in names if not name.startswith("rule ")]
    return Row(identity, binds, status, reason, rule, tests, rules)


def rows_in(folder):
    """The rows of the folder's rfc3261_*.txt, in the order of their sections, and what is wrong with their form."""
    rows, faults = {}, []
    for path in sorted(folder.glob("rfc3261_*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            row = row_of(line)
            if isinstance(row, str):
                faults.append(f"{path.name}: {row}")
            elif row.identity in rows:
                faults.append(f"{path.name}: {row.identity} is there twice")
            else:
                rows[row.identity] = row
    key = lambda row: (section_key(row.section), int(row.identity.split("-")[1]))
    return sorted(rows.values(), key=key), faults


def faults_of(row, tests, deviations):
    """Why a row does not hold: a test that is missing or failed, or nothing that names the section."""
    faults = [f"{row.identity}: {fault}" for suite, case in row.tests if (fault := tests.fault_of(suite, case))]
    faults += [f"{row.identity}: there is no end-to-end rule {name}" for name in row.rules if name not in tests.rules]
    if row.status not in ("implemented", "deviates"):
        return faults
    if not any(tests.names_section(suite, "3261", row.section) for suite, _ in row.tests):
        faults.append(f"{row.identity}: no test of it names §{row.section} in its suite or in the first lines of its file")
    if row.status == "deviates" and row.section not in deviations:
        faults.append(f"{row.identity}: no source marks a deviation from §{row.section}")
    return faults


def deviating_sections(root, rfc="3261"):
    """The sections from which a source says that it deviates."""
    return {section for _, text in files_under(root, "src", ".h", ".cpp") for reference, _ in deviations_in(text)
            for other, section in references_in(reference) if other == rfc}


def sections_in(path):
    """Lines `RFC nnnn §x | what it is about | why it is not implemented`: (rfc, section) to (title, reason)."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        cells = [cell.strip() for cell in line.split(" | ")]
        if line.startswith("#") or len(cells) < 2:
            continue
        found.update({pair: (cells[1], cells[2] if len(cells) > 2 else "") for pair in references_in(cells[0])})
    return found
