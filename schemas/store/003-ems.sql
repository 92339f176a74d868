-- What the EMS knows: the VIB, what the fault monitor did, what the performance monitor measured.

-- A network function each; the columns are those of struct vib_entry (controller/model/vib.h).
CREATE TABLE vib (
	key TEXT PRIMARY KEY NOT NULL,
	site TEXT,
	ems TEXT,
	driver TEXT,
	transport TEXT,
	package TEXT,
	incarnation INTEGER NOT NULL,
	state TEXT,
	health TEXT,
	reason TEXT,
	state_since_us INTEGER NOT NULL,
	health_since_us INTEGER NOT NULL,
	restarts INTEGER NOT NULL,
	failures INTEGER NOT NULL,
	last_failure TEXT,
	last_failure_us INTEGER NOT NULL,
	fate TEXT,
	held TEXT,
	crossed TEXT
) WITHOUT ROWID;

-- "id": of the operation that cured, so that it counts once.
CREATE TABLE cure (
	id TEXT PRIMARY KEY NOT NULL,
	path TEXT NOT NULL,
	kind INTEGER NOT NULL,
	wanted TEXT NOT NULL,
	wall_us INTEGER NOT NULL
) WITHOUT ROWID;

-- The ring: numbers grow with the time, so that the oldest come first.
CREATE TABLE sample (
	id INTEGER PRIMARY KEY,
	key TEXT NOT NULL,
	wall_us INTEGER NOT NULL,
	json TEXT NOT NULL
);
CREATE INDEX sample_of_key ON sample (key, id);
