R"sql(
-- The tables that the server begins with. Never edited after a release: a change is the next file.

-- Facts about the database itself: the number of the last change of a user, how many records were folded.
CREATE TABLE identity (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- H(user:realm:password) for each algorithm, for "user" and for "user@domain". A removed user leaves its row,
-- so that a running server sees the removal.
CREATE TABLE users (
    tenant            INTEGER NOT NULL,
    name              TEXT    NOT NULL,
    realm             TEXT    NOT NULL,
    domain            TEXT    NOT NULL,
    md5               BLOB    NOT NULL,
    sha256            BLOB    NOT NULL,
    sha512_256        BLOB    NOT NULL,
    domain_md5        BLOB    NOT NULL,
    domain_sha256     BLOB    NOT NULL,
    domain_sha512_256 BLOB    NOT NULL,
    change            INTEGER NOT NULL,
    is_removed        INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) WITHOUT ROWID;
CREATE INDEX users_by_change ON users (change);

-- Further addresses of record that a user may show in From.
CREATE TABLE user_addresses (
    tenant  INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    address TEXT    NOT NULL,
    PRIMARY KEY (tenant, name, address)
) WITHOUT ROWID;

-- The latest journal event of each address of record that has bindings, and where in the journal it stands.
CREATE TABLE bindings (
    tenant     INTEGER NOT NULL,
    aor        TEXT    NOT NULL,
    run        INTEGER NOT NULL,
    sequence   INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    event      BLOB    NOT NULL,
    PRIMARY KEY (tenant, aor)
) WITHOUT ROWID;

-- One row per call that has ended. Times are microseconds of UTC.
CREATE TABLE records (
    id               INTEGER PRIMARY KEY,
    tenant           INTEGER NOT NULL,
    call_id          TEXT    NOT NULL,
    caller_tag       TEXT    NOT NULL,
    callee_tag       TEXT    NOT NULL,
    from_uri         TEXT    NOT NULL,
    from_display     TEXT    NOT NULL,
    to_uri           TEXT    NOT NULL,
    request_uri      TEXT    NOT NULL,
    user             TEXT    NOT NULL,
    source           TEXT    NOT NULL,
    contact          TEXT    NOT NULL,
    started_us       INTEGER NOT NULL,
    ringing_us       INTEGER,
    answered_us      INTEGER,
    ended_us         INTEGER NOT NULL,
    ring_ms          INTEGER NOT NULL,
    talk_ms          INTEGER NOT NULL,
    status           INTEGER NOT NULL,
    ended_by         INTEGER NOT NULL,
    reason           TEXT    NOT NULL,
    node             INTEGER NOT NULL,
    shard            INTEGER NOT NULL,
    snapshot_version INTEGER NOT NULL
);
CREATE INDEX records_by_start ON records (started_us, id);

-- Up to where each shard's journal was folded, for bindings and for records.
CREATE TABLE fold_positions (
    fold     TEXT    NOT NULL,
    shard    INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (fold, shard)
) WITHOUT ROWID;

-- Events so far of calls that have been open for so long that the journal is not read again for them.
CREATE TABLE open_calls (
    id     INTEGER PRIMARY KEY,
    events BLOB NOT NULL
);
)sql"
