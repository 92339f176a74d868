-- What the controller remembers. Times are microseconds since 1970-01-01T00:00:00Z.

-- What was last applied, an object a row. "object" is the form of controller/store/encode.h: all its fields, each with its origin and
-- the commit that asked for it.
CREATE TABLE applied (
	key TEXT PRIMARY KEY NOT NULL,
	object BLOB NOT NULL
);

-- Sites that last applied objects are on: they outlive their description in Git.
CREATE TABLE site (
	name TEXT PRIMARY KEY NOT NULL,
	json TEXT NOT NULL
) WITHOUT ROWID;

-- One try at one step; "wall_us": when it entered its state, "begun_us": its first one.
CREATE TABLE operation (
	number INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	key TEXT NOT NULL,
	site TEXT,
	revision TEXT,
	action TEXT NOT NULL,
	cause TEXT NOT NULL,
	incarnation INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	state TEXT NOT NULL,
	begun_us INTEGER NOT NULL,
	wall_us INTEGER NOT NULL,
	error_code TEXT,
	error TEXT
);
CREATE INDEX operation_of_key ON operation (key, number);
CREATE INDEX operation_under_way ON operation (state) WHERE state IN ('STARTING', 'PROCESSING');

-- The newest state of each commit.
CREATE TABLE revision (
	number INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	summary TEXT,
	state TEXT NOT NULL,
	reason TEXT,
	wall_us INTEGER NOT NULL
);

CREATE TABLE event (
	id INTEGER PRIMARY KEY,
	wall_us INTEGER NOT NULL,
	key TEXT,
	kind TEXT NOT NULL,
	revision TEXT,
	text TEXT,
	file TEXT,
	line INTEGER NOT NULL,
	"column" INTEGER NOT NULL
);
CREATE INDEX event_of_key ON event (key, id);
